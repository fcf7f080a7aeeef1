"""Label maps, overlays, probabilities and areas of photos that belong to no data set."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from wsss_cli import console
from wsss_cli.config import as_dict
from wsss_cli.data.georeference import Georeference, georeference, lay
from wsss_cli.data.images import read_unchecked
from wsss_cli.data.labels import write_labels
from wsss_cli.data.long_side import smaller
from wsss_cli.data.palette import Colour
from wsss_cli.data.picture import Reading
from wsss_cli.data.unchanged import stamp
from wsss_cli.engine.enlarge import bands
from wsss_cli.engine.infer import Infer, label_maps, predict, seen_of
from wsss_cli.errors import WsssError
from wsss_cli.files import flush_all, writing
from wsss_cli.heap import Heap
from wsss_cli.models.model import Model
from wsss_cli.names import require_path
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.parallel.unordered import map_unordered
from wsss_cli.photos.find import Photo, Photos
from wsss_cli.photos.results import Results, open_results
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.refine.crf_config import Crf
from wsss_cli.report.pictures import overlay, thumbnail

READERS = 2  # photos are large: each that is read ahead takes its pixels
OVERLAY = 2048  # pixels of the longer side of an overlay
OPACITY = 0.5
WRONG_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")


@dataclass(frozen=True)
class Failure:
    """A photo of which nothing was made, and why."""

    photo: Photo
    error: WsssError


@dataclass(frozen=True)
class Seen:
    """A photo (H, W, 3), its image (h, w, 3) at the model's `long_side`, its stamp before it was read, where on a map
    it lies; once predicted, the scores (K, h, w) of the image."""

    photo: NDArray[np.uint8]
    image: NDArray[np.uint8]
    stamp: str
    scores: Tensor | None = None
    place: Georeference | None = None


@dataclass(frozen=True)
class Done:
    """Of a photo: its stamp, the pixels of each id 0..C, and its height and width."""

    stamp: str
    areas: list[int]
    shape: tuple[int, ...]


def predict_photos(
    model: Model,
    photos: Photos,
    folder: Path,
    kinds: Sequence[str],
    how: Reading,
    runtime: Runtime,
    anew: bool = False,
) -> tuple[Results, list[Failure]]:
    """Write what is wanted of every photo into `folder`, as far as it is not there yet; a failure stops no other.

    kinds  of results: see results.KINDS
    anew   whether or not it is there
    """
    results = open_results(folder, _made_with(model, photos, how), kinds, anew)
    todo = [photo for photo in results.named(photos.found) if not results.has(photo)]
    failures: list[Failure] = []
    with console.track("infer", len(todo), "photos") as tick:
        for photo, outcome in _outcomes(model, todo, results, how, runtime):
            if isinstance(outcome, WsssError):
                failures.append(Failure(photo, outcome))
                results.fail(photo)
            else:
                results.add(photo, outcome.stamp, outcome.areas, outcome.shape)
            tick(1)
    results.write_areas(model.classes)
    flush_all(folder)
    return results, failures


def _made_with(model: Model, photos: Photos, how: Reading) -> dict[str, Any]:
    asked = {"long_side": model.long_side, "beside": model.beside() or None}
    return {key: value for key, value in asked.items() if value is not None} | {
        "model": model.name,
        "weights": model.digest(),
        "classes": model.classes,
        "settings": as_dict(model.config),
        "reading": asdict(how),
        "photos": str(photos.root),
    }


def _outcomes(
    model: Model, todo: Sequence[Photo], results: Results, how: Reading, runtime: Runtime
) -> Iterator[tuple[Photo, Done | WsssError]]:
    """What becomes of each photo; where a CRF refines them on the CPU, in processes, else while the next is seen."""
    if not todo:
        return
    tasks = _predicted(model, todo, results, how, runtime)
    if "labels_crf" in results.kinds and runtime.device.type == "cpu":
        processes = runtime.workers + 1 if runtime.workers else 0
        yield from (outcome for _, outcome in map_unordered(write_results, tasks, processes))
    else:
        yield from ParallelMap(lambda task: write_results(*task), tasks, threads=1, ahead=1)


def _predicted(
    model: Model, todo: Sequence[Photo], results: Results, how: Reading, runtime: Runtime
) -> Iterator[tuple[Any, ...]]:
    """The arguments of write_results for each photo."""
    net, heap = model.network(runtime), Heap()
    for photo, read in zip(todo, ParallelMap(partial(_read, how=how, long_side=model.long_side), todo, READERS)):
        seen = read if isinstance(read, WsssError) else _with_scores(read, net, model.config, runtime, photo)
        yield photo, seen, results.places(photo), model.config.crf_settings, model.palette
        heap.tidy()


def _read(photo: Photo, how: Reading, long_side: int | None) -> Seen | WsssError:
    try:
        require_path(photo.id, "the photo", "rename it or its folder")
        before = stamp(photo.path)
        whole = read_unchecked(photo.path, how)
        return Seen(whole, smaller(whole, long_side), before, place=georeference(photo.path))
    except WsssError as error:
        return error


def _with_scores(seen: Seen, net: nn.Module, config: Infer, runtime: Runtime, photo: Photo) -> Seen | WsssError:
    """With its scores, or why there are none."""
    try:
        return replace(seen, scores=scores_of(seen.image, net, config, runtime.device, photo.path))
    except WsssError as error:
        return error


@torch.inference_mode()
def scores_of(image: NDArray[np.uint8], net: nn.Module, config: Infer, device: torch.device, name: object) -> Tensor:
    """Softmax scores (K, H, W), background first, of a picture (H, W, 3), on the device.

    Raises WsssError if it needs more memory than there is.
    """
    height, width = image.shape[:2]
    try:
        batch = torch.from_numpy(seen_of(image, config)[None]).to(device)  # (1, h, w, 3)
        return predict(net, batch, config, (height, width))[0]
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in WRONG_MEMORY):
            raise
        what = f"{name} is too large for the memory: {width} x {height} pixels"
        advice = "let the network see it smaller, --long-side 1024, or in parts, infer.window=1024"
        raise WsssError(what, advice) from error


def write_results(
    photo: Photo, seen: Seen | WsssError, places: Mapping[str, Path], crf: Crf, palette: Sequence[Colour]
) -> tuple[Photo, Done | WsssError]:
    """Write what is wanted of a photo, at its own size; what could not be seen is handed on."""
    if isinstance(seen, WsssError):
        return photo, seen
    assert seen.scores is not None
    size = seen.photo.shape[:2]
    maps = label_maps(seen.image, seen.scores, crf if "labels_crf" in places else None, size)
    for kind, labels in zip(("labels", "labels_crf"), maps):
        write_labels(places[kind], labels, palette)
        lay(places[kind], seen.place)
    if "overlay" in places:
        _write_overlay(places["overlay"], overlay(thumbnail(seen.photo, OVERLAY), labels, palette, OPACITY))
    if "probabilities" in places:
        _write_probabilities(places["probabilities"], seen.scores, size)
    return photo, Done(seen.stamp, np.bincount(labels.ravel(), minlength=len(seen.scores)).tolist(), labels.shape)


def _write_overlay(path: Path, picture: NDArray[np.uint8]) -> None:
    encoded = io.BytesIO()  # of a file Pillow loses what the system says against writing to it
    Image.fromarray(picture).save(encoded, format="JPEG", quality=90, subsampling=0)
    with writing(path, flushed=False) as aside:
        aside.write_bytes(encoded.getbuffer())


def _write_probabilities(path: Path, scores: Tensor, size: Sequence[int]) -> None:
    """ "probabilities" (K, H, W) float16, background first."""
    parts = [part.half().cpu().numpy() for part in bands(scores, size)]
    with writing(path, flushed=False) as aside, aside.open("wb") as file:
        np.savez_compressed(file, probabilities=np.concatenate(parts, axis=1))
