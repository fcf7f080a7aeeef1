"""Masks to polygons along the sides of pixels: drawn again, an exact polygon covers the very same pixels.

Points are corners of pixels: (0, 0) is the upper left corner of the first one, whose centre is (0.5, 0.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.int64]
"""(n, 2) x, y of the corners of a closed line, the first one not repeated."""


def outline(mask: NDArray[np.bool_], tolerance: float = 0.0) -> Ring:
    """One polygon around a 4-connected mask (h, w); holes are reached by a cut that is gone through twice.

    By the even-odd and by the winding rule it covers exactly the mask; with a tolerance, no line is further than that
    many pixels from where it was.
    """
    if mask.all():
        height, width = mask.shape
        return np.array([[0, 0], [width, 0], [width, height], [0, height]])
    outer, *holes = rings(mask)
    around = simplify(outer, tolerance)
    if len(around) < 3:  # a piece thinner than the tolerance stays as it is
        around = outer
    for hole in (simplify(ring, tolerance) for ring in holes):
        if len(hole) > 2:  # what is simplified to a line is no hole any more
            around = _joined(around, hole)
    return around


def rings(mask: NDArray[np.bool_]) -> list[Ring]:
    """The lines between a 4-connected mask (h, w) and the rest: around it clockwise first, then around each hole.

    Where two pixels touch by a corner only, the line passes between them.
    """
    corner, following = _corners(mask)
    after = following.tolist()
    seen = [False] * len(after)
    found = []
    for start in range(len(after)):
        ring = []
        at = start
        while not seen[at]:
            seen[at] = True
            ring.append(at)
            at = after[at]
        if ring:
            found.append(corner[ring])
    return sorted(found, key=lambda ring: -_twice_area(ring))  # of one outer line, so it is the only positive one


def _corners(mask: NDArray[np.bool_]) -> tuple[Ring, NDArray[np.intp]]:
    """The corners of all lines and the index of the one that follows each, with the mask on the right-hand side.

    A line starts at a corner in one of four directions and ends at the next corner that is entered in the same one.
    In a row (or column) such lines do not overlap, so that the n-th start belongs to the n-th end.
    """
    padded = np.pad(mask, 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]  # around each point of the grid
    entering = (c & ~a, a & ~b, b & ~d, d & ~c)  # to the right, down, to the left, up
    leaving = (d & ~b, c & ~d, a & ~c, b & ~a)
    turns = []
    for enter in range(4):
        right, left = (enter + 1) % 4, (enter + 3) % 4
        turns.append((enter, right, entering[enter] & leaving[right]))  # also where four lines meet at a point
        turns.append((enter, left, entering[enter] & leaving[left] & ~leaving[right]))
    places = [np.nonzero(here) for _, _, here in turns]
    y, x = np.concatenate(places, axis=1)  # (n,) each
    counts = [len(place[0]) for place in places]
    entered, left_in = (np.repeat([turn[i] for turn in turns], counts) for i in (0, 1))  # directions, (n,)
    following = np.empty(len(x), np.intp)
    for direction in range(4):
        along, across = (x, y) if direction % 2 == 0 else (y, x)
        starts, ends = (np.flatnonzero(which == direction) for which in (left_in, entered))
        sorted_ends = ends[np.lexsort((along[ends], across[ends]))]
        following[starts[np.lexsort((along[starts], across[starts]))]] = sorted_ends
    return np.stack([x, y], 1), following


def _twice_area(ring: Ring) -> int:
    """Positive if it runs clockwise as seen on screen."""
    x, y = ring.T
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _joined(around: Ring, hole: Ring) -> Ring:
    """One ring of two: there and back between their nearest corners."""
    distance = ((around[:, None] - hole[None]) ** 2).sum(2)  # (n, m)
    i, j = np.unravel_index(distance.argmin(), distance.shape)
    turned = np.roll(hole, -j, axis=0)
    return np.concatenate([around[: i + 1], turned, turned[:1], around[i:]])


def simplify(ring: Ring, tolerance: float) -> Ring:
    """Leave out corners as long as no line is moved by more than `tolerance` pixels.

    [Douglas, Peucker 1973], on the two halves between the first corner and the one furthest from it.
    """
    if tolerance <= 0 or len(ring) < 4:
        return ring
    far = int(((ring - ring[0]) ** 2).sum(1).argmax())
    x, y = np.concatenate([ring, ring[:1]]).T.astype(float)  # (n + 1,) each, closed
    keep = np.zeros(len(x), bool)
    keep[[0, far, -1]] = True
    spans = [(0, far), (far, len(ring))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _from_line(x[first : last + 1], y[first : last + 1])
        furthest = int(distance.argmax())
        if distance[furthest] > tolerance**2:
            keep[first + furthest] = True
            spans += [(first, first + furthest), (first + furthest, last)]
    return ring[keep[:-1]]


def _from_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared distance of each point (n,) from the segment between the first and the last."""
    x, y = x - x[0], y - y[0]
    along = x[-1] * x[-1] + y[-1] * y[-1]
    if along == 0:
        return x * x + y * y
    share = np.minimum(np.maximum((x * x[-1] + y * y[-1]) / along, 0), 1)
    x, y = x - share * x[-1], y - share * y[-1]
    return x * x + y * y
