"""The `seeds` stage: a label map of each image that has boxes, and the filling rates of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_bcm.boxes import no_boxes
from wsss_bcm.config import Seeds
from wsss_bcm.filling import measure, write_rates
from wsss_bcm.grabcut import require_opencv
from wsss_bcm.proposals import seed
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, read_labels, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.parallel.unordered import map_unordered

RATES = "filling_rates.json"


def seeds(job: Job) -> dict[str, Any]:
    """Boxes -> `labels/<id>.png` and `filling_rates.json`.  Raises WsssError if no image has a box."""
    config: Seeds = job.config
    samples = boxed(job, config.split)
    if config.origin == "grabcut":
        require_opencv()
    folder = ready_made(config, samples) if config.origin == "import" else None
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    with job.track("make seeds", len(todo)) as tick:
        if folder is not None:
            for sample in todo:
                _take(folder, sample, job)
                tick(1)
        else:
            workers = 0 if job.runtime.device.type == "cuda" else job.runtime.workers
            for _ in map_unordered(write_seed, _tasks(job, todo), workers):
                tick(1)
    job.barrier()
    return {"seeds": len(samples), **_measure(job, samples)}


def boxed(job: Job, asked: str | None) -> list[Sample]:
    """The images of the split that have boxes.  Raises WsssError if none has."""
    split = job.data.split_for("train", asked)
    every = job.data.split(split)
    samples = [s for s in every if s.boxes]
    if not samples:
        raise no_boxes(job.data.info.name, split)
    if len(samples) < len(every):
        job.say(f"{len(every) - len(samples)} image(s) of split '{split}' without a box are left out")
    return samples


def write_seed(
    path: Path,
    sample: Sample,
    image: NDArray[np.uint8],
    config: Seeds,
    form: LabelFormat,
    palette: Sequence[tuple[int, int, int]],
    device: torch.device,
) -> None:
    """Make and write one image's label map."""
    write_labels(path, seed(image, sample.boxes, config, form, device), palette)


def _tasks(job: Job, todo: Sequence[Sample]) -> Iterator[tuple[Any, ...]]:
    form, palette = label_format(job.data.num_classes), job.data.info.palette
    for sample, image in zip(todo, ParallelMap(lambda s: read_image(s.image), todo)):
        yield label_path(job.folder, sample), sample, image, job.config, form, palette, job.runtime.device


def ready_made(config: Seeds, samples: Sequence[Sample]) -> Path:
    """The folder of label maps to import.  Raises WsssError if it is not said, or lacks some."""
    if config.folder is None:
        raise WsssError("seeds.from=import needs the folder of label maps", "give --set seeds.folder=DIR")
    folder = Path(config.folder)
    missing = [s.id for s in samples if not (folder / f"{s.id}.png").exists()]
    if missing:
        what = f"{folder} holds no label map for {len(missing)} images, first {missing[0]}.png"
        raise WsssError(what, "give one for each image that has a box")
    return folder


def _take(folder: Path, sample: Sample, job: Job) -> None:
    """Copy one label map, after a look at it.  Raises WsssError: another size, an unknown class."""
    path = folder / f"{sample.id}.png"
    labels, form = read_labels(path), label_format(job.data.num_classes)
    if labels.shape != (sample.height, sample.width):
        found = f"{labels.shape[1]} x {labels.shape[0]}"
        raise WsssError(
            f"{path} is {found}, its image {sample.width} x {sample.height}", "give maps of the images' size"
        )
    highest = int(labels[labels != form.ignore].max(initial=0))
    if highest > job.data.num_classes:
        what = f"{path} holds the id {highest}, the data set's classes are 1..{job.data.num_classes}"
        raise WsssError(what, f"give label maps of this data set: 0 background, {form.ignore} ignore")
    write_labels(label_path(job.folder, sample), labels.astype(form.dtype), job.data.info.palette)


def _measure(job: Job, samples: Sequence[Sample]) -> dict[str, Any]:
    """filling_rates.json, and the mean over the classes that have boxes; rank 0's to do."""
    if not job.runtime.main:
        return {}
    images = ParallelMap(lambda s: (read_labels(label_path(job.folder, s)), s.boxes), samples)
    rates = measure(images, job.data.num_classes)
    write_rates(job.folder / RATES, rates, job.data.info.classes)
    return {"filling_rate": float(rates.per_box[rates.boxes > 0].mean())}
