"""A trained network on pictures: labels, scores, overlays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from wsss_cli.api.arguments import checked, fitting, plain
from wsss_cli.api.stages import overrides_of
from wsss_cli.data.images import decoding, pixels, read_unchecked
from wsss_cli.data.label_format import Labels, label_format
from wsss_cli.data.long_side import smaller
from wsss_cli.data.palette import Colour
from wsss_cli.data.picture import PLAIN, Reading
from wsss_cli.data.prepared import class_id, reading_as
from wsss_cli.engine.enlarge import bands
from wsss_cli.engine.infer import among, label_maps
from wsss_cli.errors import WsssError
from wsss_cli.models.exported import read_exported
from wsss_cli.models.model import Model, of_run, with_settings
from wsss_cli.photos.predict import OPACITY, scores_of
from wsss_cli.plugins import method as find_method
from wsss_cli.ranks.distributed import Runtime, alone
from wsss_cli.report.pictures import overlay, thumbnail
from wsss_cli.runs import RECORD, Run

Picture = str | Path | Image.Image | NDArray[np.uint8]
"""A file, a PIL image, or an array: (H, W, 3) RGB or (H, W) grey, uint8."""

UNKNOWN, WANTED = "the network knows no class", "give a list of names of classes, or of their ids"
Tags = str | Sequence[str | int]
"""Names or ids of classes; one name stands for itself."""


@dataclass(frozen=True)
class Prediction:
    """What a network says of a picture.

    labels  (H, W) of the picture's own size: 0 background, 1..C the classes; refined by the dense CRF if the settings
            ask for it
    scores  (K, H, W) float32 softmax scores, background first; None if they were not asked for
    image   (H, W, 3) uint8 RGB of the picture's own size, turned as its EXIF orientation says; a copy
    """

    labels: Labels = field(repr=False)
    scores: NDArray[np.float32] | None = field(repr=False)
    image: NDArray[np.uint8] = field(repr=False)
    classes: tuple[str, ...]
    palette: tuple[Colour, ...] = field(repr=False)

    def overlay(self, side: int | None = None, opacity: float = OPACITY) -> Image.Image:
        """The picture with its classes laid over it, background left as it is; longer side at most `side` pixels."""
        small = self.image if side is None else thumbnail(self.image, side)
        return Image.fromarray(overlay(small, self.labels, self.palette, opacity))


@dataclass(frozen=True)
class Network:
    """A trained network, ready to predict; using it changes nothing of it, so threads may share one.

    name     "DATA/METHOD/NAME" of a run's, else that of the folder
    classes  names of ids 1..C; palette, colours of ids 0..C
    """

    name: str
    classes: tuple[str, ...]
    palette: tuple[Colour, ...] = field(repr=False)
    _model: Model = field(repr=False)
    _net: nn.Module = field(repr=False)
    _runtime: Runtime = field(repr=False)

    def predict(self, picture: Picture, *, scores: bool = False, tags: Tags | None = None) -> Prediction:
        """Labels of a picture and, if asked for, its scores.

        tags  the classes that are there, where that is known, by names or ids: no other is predicted
        Raises WsssError for a file or array that is no picture, a tag that is no class, and if it does not fit into the
        memory.
        """
        ids = None if tags is None else ids_of(self.classes, tags)
        model, name = self._model, picture if isinstance(picture, str | Path) else "the picture"
        image = pixels_of(picture, reading_as(model.pictures))
        seen, size = smaller(image, model.long_side), image.shape[:2]
        found = scores_of(seen, self._net, model.config, self._runtime.device, name)
        found = found if ids is None else among(found, ids)
        *_, labels = label_maps(seen, found, model.config.crf_settings if model.config.crf else None, size, ids)
        kept = torch.cat(list(bands(found, size)), 1).float().cpu().numpy() if scores else None
        return Prediction(labels, kept, image, self.classes, self.palette)


@checked
def load_model(
    source: str | Path | Run,
    *,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    trust_checkpoint: bool = False,
    data_root: str | Path = "data",
) -> Network:
    """The network of a run, of a folder that `wsss export model` wrote, or of the hub: "hf://OWNER/NAME".

    source    a Run or a run's folder, an exported folder, or an address
    settings  of prediction, where they are not to be the run's: {"scales": [0.5, 1.0], "flip": True, "crf": True}
    Raises WsssError if there is no such network, or it is not trained.
    """
    asked = overrides_of(settings or {}, "infer")
    if strange := asked.keys() - {"infer"}:
        raise WsssError(f"'{min(strange)}' is no stage of a trained network", "its settings are those of infer")
    run = source if isinstance(source, Run) else _run_at(str(source))
    runtime = alone(device, 0, trust_checkpoint)
    if run is None:
        model = with_settings(read_exported(str(source)), asked.get("infer") or {})
    else:
        method = find_method(run.method)
        wanted = run.settings().updated(None, asked, method.laid_over)
        model = of_run(run, method, wanted, Path(data_root), trust_checkpoint)
    return Network(model.name, model.classes, model.palette, model, model.network(runtime), runtime)


def pixels_of(picture: Picture, how: Reading = PLAIN) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, as `wsss infer` would see its file, in memory of its own: the caller may use its again.

    Raises WsssError if it is no picture.
    """
    if isinstance(picture, str | Path):
        return read_unchecked(Path(picture).expanduser(), how)
    if isinstance(picture, Image.Image):
        name = Path(getattr(picture, "filename", "") or "the picture")
        with decoding(name):
            return pixels(picture, name, how)
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or not array.size:
        what = f"an array of shape {array.shape} and type {array.dtype} is no picture"
        raise WsssError(what, "give (H, W, 3) RGB or (H, W) grey, uint8")
    return np.array(array if array.ndim == 3 else np.broadcast_to(array[..., None], (*array.shape, 3)), order="C")


def ids_of(classes: tuple[str, ...], tags: Tags) -> Labels:
    """The background's id and those of the tags.  Raises WsssError for one that is no class."""
    several = fitting("tags", list[str | int], [tags] if isinstance(tags, str) else plain(tags, "tags"), WANTED)
    ids = {tag if tag in range(1, len(classes) + 1) else class_id(str(tag), classes, UNKNOWN) for tag in several}
    return np.array([0, *sorted(ids)], label_format(len(classes)).dtype)


def _run_at(source: str) -> Run | None:
    """The run whose folder it is, trained or not; None if it is none."""
    folder = Path(source).expanduser().absolute()
    if source.startswith("hf://") or not ((folder / "run.yaml").is_file() or any(folder.glob(f"*/{RECORD}"))):
        return None
    *_, data, method, name = folder.parts
    return Run(folder.parents[2], data, method, name)
