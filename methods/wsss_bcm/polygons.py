"""Polygons through the middle between pixels, as scikit-image's find_contours and approximate_polygon give them.

They are the released ones point for point.  The host's `export.contours` goes along the sides of pixels instead.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2) rows, columns, the first point repeated at the end."""

# Which sides of a square of four pixels a line enters and leaves by, the mask to one side: by the square's corners
# (1 upper left, 2 upper right, 4 lower left, 8 lower right are in the mask).  Corners of the mask do not connect.
LINES = {
    1: ("TL",),
    2: ("RT",),
    3: ("RL",),
    4: ("LB",),
    5: ("TB",),
    6: ("RT", "LB"),
    7: ("RB",),
    8: ("BR",),
    9: ("TL", "BR"),
    10: ("BT",),
    11: ("BL",),
    12: ("LR",),
    13: ("TR",),
    14: ("LT",),
}
SIDES = {"T": (0, 1), "B": (2, 1), "L": (1, 0), "R": (1, 2)}  # in half pixels from the upper left corner's centre


def polygons(mask: NDArray[np.bool_], tolerance: float = 2.0) -> list[list[float]]:
    """COCO polygons x, y, x, y, ... around and within the pieces of a mask (H, W), those with 3 points or more."""
    found = []
    for line in contours(np.pad(mask, 1)):
        points = simplified(line - 1, tolerance)
        if len(points) >= 3:
            found.append(np.maximum(points[:, ::-1], 0).ravel().tolist())  # rows, columns -> x, y
    return found


def contours(mask: NDArray[np.bool_]) -> list[Points]:
    """The closed lines where a mask (H, W) that leaves its border free crosses 1/2, in scan order.

    Each starts at the end of its last segment in scan order.
    """
    starts, ends = _segments(mask)
    number = {start: i for i, start in enumerate(starts)}
    taken = [False] * len(starts)
    lines: list[Points] = []
    for first in range(len(starts)):
        if taken[first]:
            continue
        loop, at = [], first
        while not taken[at]:
            taken[at] = True
            loop.append(at)
            at = number[ends[at]]
        turn = loop.index(max(loop)) + 1
        loop = loop[turn:] + loop[:turn]
        lines.append(np.array([starts[i] for i in loop] + [ends[loop[-1]]], float) / 2)
    return lines


def _segments(mask: NDArray[np.bool_]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Both ends of each segment, in half pixels, by squares from left to right and top to bottom."""
    inside = mask.astype(np.uint8)
    kinds = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, :-1] + 8 * inside[1:, 1:]
    starts: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []
    for row, column in np.argwhere((kinds > 0) & (kinds < 15)).tolist():
        for line in LINES[int(kinds[row, column])]:
            for side, into in zip(line, (starts, ends), strict=True):
                down, right = SIDES[side]
                into.append((2 * row + down, 2 * column + right))
    return starts, ends


def simplified(points: Points, tolerance: float) -> Points:
    """Fewer points, none further than `tolerance` from its line; the first and the last stay.

    [Douglas, Peucker 1973]  Distances are taken as scikit-image does, for they decide between equally far points.
    """
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _distances(points[first + 1 : last], points[first], points[last])
        furthest = int(distance.argmax())
        if distance[furthest] > tolerance:
            middle = first + 1 + furthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _distances(points: Points, start: Points, end: Points) -> Points:
    """Of points (n, 2) from the segment between two: from its line where they stand beside it, else from its ends."""
    dr, dc = end - start
    angle = -math.atan2(dr, dc)
    sine, cosine = math.sin(angle), math.cos(angle)
    from_line = np.abs(points[:, 0] * cosine + points[:, 1] * sine - (start[1] * sine + start[0] * cosine))
    from_start, from_end = points - start, points - end
    beside = (from_start @ (dr, dc) > 0) & (from_end @ (-dr, -dc) > 0)
    from_ends = np.minimum(np.hypot(*from_start.T), np.hypot(*from_end.T))
    return np.where(beside, from_line, from_ends)
