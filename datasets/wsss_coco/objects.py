"""One annotation of COCO: its box in whole pixels and its segmentation as run lengths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from wsss_cli.data.run_lengths import NO_RUNS, uncompressed
from wsss_cli.data.segmentation import outline_of, require_near

Runs = NDArray[np.int64]
"""Down the columns, from the top left: pixels outside the object, inside, outside, ..."""


def half_open(bbox: Any, width: int, height: int) -> tuple[int, int, int, int] | None:
    """COCO's x, y, w, h in fractions of pixels -> 0-based half-open x0, y0, x1, y1, clipped to the image.

    x0 = floor(x), x1 = ceil(x + w), at least one pixel: the box holds the whole object. None: nothing is in the image.
    Raises ValueError if it is no box.
    """
    if not (isinstance(bbox, list) and len(bbox) == 4 and all(map(_finite, bbox))):
        raise ValueError(f"bbox {bbox} is not four numbers")
    x, y, w, h = bbox
    if w < 0 or h < 0:
        raise ValueError(f"bbox {bbox} has a negative side")
    x0, x1 = _interval(x, w, width)
    y0, y1 = _interval(y, h, height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def run_lengths(segmentation: Any, width: int, height: int) -> Runs:
    """Polygons (drawn by pycocotools), or run lengths of either kind -> run lengths that cover the image.

    Raises ValueError telling what is wrong; nothing that pycocotools would crash on or misread reaches it.
    """
    outline = outline_of(segmentation)
    if not outline:
        raise ValueError("segmentation is missing or empty")
    polygons = [_polygon(points, width, height) for points in outline.polygons]
    runs = [_whole(coded, width, height) for coded in outline.runs]
    if len(runs) == 1 and not polygons:
        return runs[0]
    parts = rle.frPyObjects(polygons, height, width) if polygons else []
    size = [height, width]
    parts += [rle.frPyObjects({"size": size, "counts": counts.tolist()}, height, width) for counts in runs]
    return uncompressed(rle.merge(parts)["counts"])


def has_outline(annotation: Any) -> bool:
    """Whether an annotation has a segmentation at all, be it one that cannot be read."""
    try:
        return bool(outline_of(annotation.get("segmentation")))
    except ValueError:
        return True


def box_of(runs: Runs, height: int) -> list[float]:
    """COCO's x, y, w, h of the pixels inside of runs of columns of `height`; of 0 x 0 if there are none."""
    ends = np.cumsum(runs)
    inside = [(a, b) for a, b in zip(ends[0::2].tolist(), ends[1::2].tolist(), strict=False) if b > a]
    if not inside:
        return [0.0, 0.0, 0.0, 0.0]
    x0, x1 = inside[0][0] // height, (inside[-1][1] - 1) // height
    over = any(a // height != (b - 1) // height for a, b in inside)  # a run that goes on in the next column
    y0 = 0 if over else min(a % height for a, _ in inside)
    y1 = height - 1 if over else max((b - 1) % height for _, b in inside)
    return [float(x0), float(y0), float(x1 - x0 + 1), float(y1 - y0 + 1)]


def _whole(coded: dict[str, Any], width: int, height: int) -> Runs:
    size, counts = coded.get("size"), coded["counts"]
    if size != [height, width]:
        raise ValueError(f"segmentation is of size {size}, not [{height}, {width}] as the image")
    if isinstance(counts, str) and counts.isascii():
        runs = uncompressed(counts.encode())
    elif isinstance(counts, list) and all(type(n) is int and n <= width * height for n in counts):
        runs = np.array(counts, np.int64)
    else:
        raise ValueError(NO_RUNS)
    if (runs < 0).any():
        raise ValueError(NO_RUNS)
    if runs.sum() != width * height:
        raise ValueError(f"run lengths of its segmentation cover {runs.sum()} pixels, not {width} x {height}")
    return runs


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _interval(start: float, length: float, side: int) -> tuple[int, int]:
    """Rounded first: COCO has two decimals, and 100.01 + 53.99 is a little more than 154."""
    first = math.floor(round(start, 3))
    return max(first, 0), min(max(math.ceil(round(start + length, 3)), first + 1), side)


def _polygon(points: Any, width: int, height: int) -> list[float]:
    if not (isinstance(points, list) and all(map(_finite, points))):
        raise ValueError("a polygon of its segmentation is no list of numbers")
    if len(points) % 2:
        raise ValueError(f"a polygon of its segmentation has {len(points)} numbers, not x and y of each point")
    require_near(points, width, height)
    return points
