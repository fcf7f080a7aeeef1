"""The smaller images of photos that are larger than the data set's `long_side`: files of its own, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from wsss_cli.data.images import read_image
from wsss_cli.data.long_side import smaller, smaller_boxes, smaller_size
from wsss_cli.data.prepared import Original, Sample
from wsss_cli.data.unchanged import content_digest, stamp
from wsss_cli.files import writing
from wsss_cli.parallel.ordered import ParallelMap

FOLDER = "long_side"  # of the data set's
LEVEL = 3  # of zlib: photos come out a hundredth larger than at the usual 6, in half of the time


def all_smaller(samples: Iterable[Sample], folder: Path, long_side: int | None) -> Iterable[Sample]:
    """The samples in order, on all cores, each as `made_smaller`; None: as they are."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)  # of a try before, with other images perhaps
    if long_side is None:
        return samples
    return ParallelMap(lambda sample: made_smaller(sample, folder, long_side), samples)


def number_of(folder: Path) -> int:
    """How many photos were made smaller."""
    return sum(1 for _ in (folder / FOLDER).rglob("*.png"))


def made_smaller(sample: Sample, folder: Path, long_side: int) -> Sample:
    """A checked sample whose image has at most that longer side: itself, or with a new PNG in the data set's folder."""
    height, width = smaller_size(sample.height, sample.width, long_side)
    if (height, width) == (sample.height, sample.width):
        return sample
    path = folder / FOLDER / f"{sample.id}.png"
    with writing(path, flushed=False) as aside:
        picture = Image.fromarray(smaller(read_image(sample.image), long_side))
        picture.save(aside, format="PNG", compress_level=LEVEL)
    return replace(
        sample,
        image=path,
        width=width,
        height=height,
        boxes=smaller_boxes(sample, height, width),
        image_digest=content_digest(path.read_bytes()),
        stamps=(stamp(path), sample.stamps[1]),
        original=Original(
            sample.image, sample.width, sample.height, sample.boxes, sample.image_digest, sample.stamps[0]
        ),
    )
