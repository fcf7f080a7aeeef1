"""Samples of one image shape together, so that a network sees them as one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from wsss_cli.data.prepared import Sample
from wsss_cli.heap import Heap

T = TypeVar("T")
WAITING = 64  # images held back for partners; beyond it the fullest group goes as it is


def equal_shapes(samples: Sequence[Sample], read: Iterable[T], batch: int) -> Iterator[tuple[list[Sample], list[T]]]:
    """Groups of at most `batch` samples of one width and height, with what `read` gives for each in order.

    Between them the heap is tidied: what follows are passes over images of many sizes.
    """
    heap = Heap()
    groups: dict[tuple[int, int], tuple[list[Sample], list[T]]] = {}
    held = 0
    for sample, content in zip(samples, read, strict=True):
        group = groups.setdefault((sample.width, sample.height), ([], []))
        group[0].append(sample)
        group[1].append(content)
        held += 1
        full = (sample.width, sample.height) if len(group[0]) == batch else None
        if full is None and held > WAITING:
            full = max(groups, key=lambda size: len(groups[size][0]))
        if full is not None:
            held -= len(groups[full][0])
            yield groups.pop(full)
            heap.tidy()
    yield from groups.values()
