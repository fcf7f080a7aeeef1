"""Cutting images into overlapping cells at many scales, and which of an image's tags hold in a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cell = tuple[int, int, int, int]
"""x0, y0, x1, y1 in the image's own pixels, half-open."""


def cells(width: int, height: int, scale: float, crop: int = 448, stride: int = 300) -> list[Cell]:
    """The cells of an image at one scale, columns before rows.

    Along a side of s = int(scale length) pixels there are 1 + ceil(max(0, s - crop) / stride) cells; all but the last
    are `stride` long and do not overlap, as released; the last has the last `crop` pixels.
    """
    return [
        (x0, y0, x1, y1)
        for x0, x1 in _spans(width, scale, crop, stride)
        for y0, y1 in _spans(height, scale, crop, stride)
    ]


def _spans(length: int, scale: float, crop: int, stride: int) -> list[tuple[int, int]]:
    """First and last pixel + 1 of the cells along one side, on the image as it is."""
    scaled = max(1, int(length * scale))
    n = 1 + math.ceil(max(0, scaled - crop) / stride)
    inner = [(stride * i, min(scaled, stride * (i + 1))) for i in range(n - 1)]
    return [(int(a / scale), int(b / scale)) for a, b in (*inner, (max(0, scaled - crop), scaled))]


def tags_in(cell: Cell, sure: NDArray[np.bool_], overlap: float = 0.1) -> NDArray[np.bool_]:
    """Which classes hold in a cell: those with more than `overlap` of their own region in it, or of it in the region.

    sure (n, H, W): the pixels that surely belong to each class.  Returns (n,); False for a class without any.
    """
    x0, y0, x1, y1 = cell
    inside, whole = sure[:, y0:y1, x0:x1].sum((1, 2)), sure.sum((1, 2))  # (n,) each
    area = (x1 - x0) * (y1 - y0)
    return (inside / np.maximum(1, whole) > overlap) | (inside / max(1, area) > overlap)


def regions(label: NDArray[Any], tags: Sequence[int]) -> NDArray[np.bool_]:
    """The pixels of each tag in a label map: (H, W) -> (n, H, W)."""
    return label[None] == np.asarray(tags, dtype=label.dtype).reshape(-1, 1, 1)
