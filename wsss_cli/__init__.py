"""wsss: weakly supervised semantic segmentation, from image tags or boxes to masks.

`import wsss_cli as wsss` is the Python API: the names of __all__, told in docs/python.md.  They are fetched when they
are wanted, so that the import costs nothing; all else in this package is internal.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wsss_cli.version import __version__

if TYPE_CHECKING:
    from wsss_cli.api.artefacts import read_cams, read_predictions, read_pseudo_labels, read_scores
    from wsss_cli.api.data import open_data, prepare
    from wsss_cli.api.network import Network, Prediction, load_model
    from wsss_cli.api.stages import list_runs, open_run, run_stage
    from wsss_cli.cam.store import Cam
    from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
    from wsss_cli.errors import WsssError
    from wsss_cli.runs import Run

__all__ = [
    "Box",
    "Cam",
    "DatasetInfo",
    "Network",
    "Prediction",
    "Prepared",
    "Run",
    "Sample",
    "WsssError",
    "__version__",
    "list_runs",
    "load_model",
    "open_data",
    "open_run",
    "prepare",
    "read_cams",
    "read_predictions",
    "read_pseudo_labels",
    "read_scores",
    "run_stage",
]

_HOMES = {
    "api.artefacts": ("read_cams", "read_predictions", "read_pseudo_labels", "read_scores"),
    "api.data": ("open_data", "prepare"),
    "api.network": ("Network", "Prediction", "load_model"),
    "api.stages": ("list_runs", "open_run", "run_stage"),
    "cam.store": ("Cam",),
    "data.prepared": ("Box", "DatasetInfo", "Prepared", "Sample"),
    "errors": ("WsssError",),
    "runs": ("Run",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of the API, from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
