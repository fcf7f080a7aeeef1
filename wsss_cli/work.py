"""What a stage has to do, counted in units that can be timed: so its time is known before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from wsss_cli.data.prepared import Sample

TIMED = 256
"""The longest side of an image that is timed in place of a larger one."""


@dataclass(frozen=True)
class Pass:
    """One image through a network, and back where it learns.

    network  its settings, a `nets.normalisation.Pretrained`; outputs: its classes
    """

    network: Any
    outputs: int
    height: int
    width: int
    learns: bool = False


@dataclass(frozen=True)
class Call:
    """A function, "package.module:function", with arguments that make it take as long as for a typical image.

    shared  it is called in all processes that per-image work is spread over
    on_device  on the GPU if there is one, and then in one process
    """

    function: str
    arguments: tuple[Any, ...] = ()
    shared: bool = False
    on_device: bool = False


@dataclass(frozen=True)
class Work:
    """A part of a stage: `count` units, a fraction of one where it costs less."""

    what: str
    count: float
    unit: Pass | Call


def typical_size(samples: Sequence[Sample]) -> tuple[int, int]:
    """Height and width of an image of mean area and mean shape."""
    area = sum(s.width * s.height for s in samples) / max(1, len(samples))
    shape = sum(s.width / s.height for s in samples) / max(1, len(samples))
    return max(1, round(sqrt(area / max(shape, 1e-9)))), max(1, round(sqrt(area * shape)))


def areas(scales: Sequence[float], flip: bool = False) -> float:
    """Passes at scale 1 that passes at these scales, and of mirror images, amount to."""
    return sum(s * s for s in scales) * (2 if flip else 1)


def reading(count: float, samples: Sequence[Sample]) -> list[Work]:
    """Images read from disk, as the one of median size takes."""
    return [Work("read", count, Call("wsss_cli.data.images:read_image", (of_median_size(samples).image,)))]


def of_median_size(samples: Sequence[Sample]) -> Sample:
    """The one whose area is in the middle."""
    return sorted(samples, key=lambda s: s.width * s.height)[len(samples) // 2]


def within(size: tuple[int, int], side: int) -> tuple[int, int, float]:
    """Height and width, made no larger than `side`, and how many times larger the area was."""
    factor = min(1.0, side / max(size))
    height, width = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    return height, width, size[0] * size[1] / (height * width)


def passes(what: str, count: float, network: Any, outputs: int, size: tuple[int, int]) -> Work:
    """Of images of that size through a network that learns nothing by it."""
    height, width, larger = within(size, TIMED)
    return Work(what, count * larger, Pass(network, outputs, height, width))


def dense_crf(what: str, count: float, samples: Sequence[Sample], labels: int, crf: Any) -> Work:
    """A dense CRF of so many images, over `labels` classes."""
    height, width, larger = within(typical_size(samples), TIMED)
    unit = Call("wsss_cli.refine.crf:crf_once", (height, width, labels, crf), shared=True)
    return Work(what, count * larger, unit)
