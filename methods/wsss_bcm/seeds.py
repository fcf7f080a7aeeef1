"""The `seeds` stage: a label map of each image that has boxes, and the filling rates of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_bcm.config import RATES, Seeds, boxed, ready_made
from wsss_bcm.filling import measure, write_rates
from wsss_bcm.proposals import seed
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, read_labels, write_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.refine.crf_config import crf_memory


def seeds(job: Job[Seeds]) -> dict[str, Any]:
    """Boxes -> `labels/<id>.png` and `filling_rates.json`.  Raises WsssError if no image has a box."""
    config = job.config
    samples = boxed(job.data, config.split)
    _say_left_out(job, samples, config.split)
    folder = ready_made(config, samples) if config.origin == "import" else None
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    if folder is None:
        job.each("make seeds", write_seed, _tasks(job, todo), len(todo), on_device=True, need=crf_memory(todo))
    else:
        with job.track("make seeds", len(todo)) as tick:
            for sample in todo:
                _take(folder, sample, job)
                tick(1)
        job.barrier()
    return {"seeds": len(samples), **_measure(job, samples)}


def _say_left_out(job: Job, samples: Sequence[Sample], asked: str | None) -> None:
    split = job.data.split_for("train", asked)
    left_out = len(job.data.split(split)) - len(samples)
    if left_out:
        job.say(f"{left_out} image(s) of split '{split}' without a box are left out")


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


def _take(folder: Path, sample: Sample, job: Job) -> None:
    """Copy one label map, after a look at it.  Raises WsssError: another size, an unknown class."""
    path = folder / f"{sample.id}.png"
    labels, form = at_image_size(read_labels(path), sample), label_format(job.data.num_classes)
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
