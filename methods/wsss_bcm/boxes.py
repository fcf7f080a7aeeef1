"""Boxes painted into label maps, and their centres."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.label_format import BYTE, LabelFormat, Labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError


def by_area(boxes: Sequence[Box]) -> list[Box]:
    """Largest first, so that the smaller one is painted in front; of equal ones the later is.  [Khoreva et al. 2017]"""
    return sorted(boxes, key=area, reverse=True)


def area(box: Box) -> int:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def inside(box: Box) -> tuple[slice, slice]:
    """Rows and columns."""
    return slice(box.y0, box.y1), slice(box.x0, box.x1)


def box_map(boxes: Sequence[Box], size: tuple[int, int], form: LabelFormat = BYTE) -> Labels:
    """The class of the smallest box over each pixel, 0 outside all: (H, W) ids."""
    painted = np.zeros(size, form.dtype)
    for box in by_area(boxes):
        painted[inside(box)] = box.label
    return painted


def centre(box: Box, share: float = 0.2) -> tuple[slice, slice]:
    """Rows and columns of the middle `share` of a box's area, of its shape, one pixel at least."""

    def middle(low: int, high: int) -> slice:
        length = max(1, round((high - low) * math.sqrt(share)))
        start = low + (high - low - length) // 2
        return slice(start, start + length)

    return middle(box.y0, box.y1), middle(box.x0, box.x1)


def clip_to_boxes(labels: Labels, boxes: Sequence[Box]) -> Labels:
    """Background where a pixel's class has no box over it: (H, W) ids -> a copy."""
    allowed: NDArray[np.bool_] = labels == 0
    for box in boxes:
        at = inside(box)
        allowed[at] |= labels[at] == box.label
    clipped = labels.copy()
    clipped[~allowed] = 0
    return clipped


def no_boxes(data: str, split: str) -> WsssError:
    """What to say of a split none of whose images has a box."""
    return WsssError(
        f"data set '{data}' has no boxes in split '{split}', and bcm learns from boxes",
        "prepare data with boxes (Pascal XML, COCO, YOLO, a CSV of boxes), or take a method that learns from "
        "tags: `wsss methods`",
    )
