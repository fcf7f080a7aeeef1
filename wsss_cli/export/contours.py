"""Masks to polygons along the sides of pixels: drawn again, an exact polygon covers the very same pixels.

Points are corners of pixels: (0, 0) is the upper left corner of the first one, whose centre is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.int64]
"""(n, 2) x, y of the corners of a closed line, the first one not repeated."""
Points = NDArray[np.int64] | NDArray[np.float64]
"""(n, 2) x, y of a polygon: whole numbers, unless it is inset."""


def outline(mask: NDArray[np.bool_], tolerance: float = 0.0, inset: float = 0.0) -> Points:
    """One polygon around a 4-connected mask (h, w); holes are reached by upright cuts that are gone through twice.

    By the even-odd and by the winding rule it covers exactly the mask; with a tolerance, no line is further than that
    many pixels from where it was.  inset, below 0.5, moves each line by that many pixels into the mask, and the cuts
    into a column of its pixels: so that holds too where coordinates are cut off to whole pixels and lines are drawn.
    """
    outer, *holes = rings(mask)
    # what is simplified to a line is no hole any more
    lines = [_Line(outer), *(_Line(ring) for ring in holes if not tolerance or len(simplify(ring, tolerance)) > 2)]
    _hang_holes(lines)
    for line in sorted(lines[1:], key=lambda line: -line.top):  # what hangs on a hole lies lower
        line.finish(tolerance, inset)
    return lines[0].finish(tolerance, inset)


@dataclass(eq=False)
class _Line:
    """A ring and its cuts as (edge, x, the hole that hangs there).

    That of a hole begins with an edge at its top, on which its own cut is, without a hole.
    """

    ring: Ring
    cuts: list[tuple[int, int, _Line | None]] = field(default_factory=list)
    whole: Points = field(default_factory=lambda: np.zeros((0, 2)))

    def __post_init__(self) -> None:
        self.top = int(self.ring[:, 1].min())
        below_mask = (self.ring[:, 1] == self.top) & (_steps(self.ring)[:, 0] < 0)  # (n,) no edge of the outer ring
        if below_mask.any():
            self.ring = np.roll(self.ring, -int(below_mask.argmax()), axis=0)
            self.cuts.append((0, int(self.ring[1, 0]), None))
        self.step = _steps(self.ring)

    def finish(self, tolerance: float, inset: float) -> Points:
        """All in one polygon; that of a hole begins and ends at its own cut."""
        cuts = sorted(self.cuts, key=lambda cut: (cut[0], cut[1] * self.step[cut[0], 0]))
        edges = np.array([edge for edge, _, _ in cuts], int)
        points, moves = self._with_cuts(edges, np.array([x for _, x, _ in cuts], int))
        places = edges + 1 + np.arange(len(edges))
        keep = kept(points, tolerance, places)
        if keep.sum() < 3:  # a piece thinner than the tolerance stays as it is
            keep[:] = True
        if inset:
            points = points + inset * moves
        start, parts = 0, []
        for place, (_, _, hole) in zip(places, cuts):
            there = slice(start, place + 1)
            parts += [points[there][keep[there]], points[place:place] if hole is None else hole.whole]
            start = place
        whole = np.concatenate([*parts, points[start:][keep[start:]]])
        if cuts and cuts[0][2] is None:
            whole = np.roll(whole, -int(keep[0]), axis=0)
            whole = np.concatenate([whole, whole[:1]])
        self.whole = whole
        return whole

    def _with_cuts(self, edges: NDArray[np.int64], x: NDArray[np.int64]) -> tuple[Ring, Ring]:
        """The points with those of the cuts in their places, and the directions in which each goes into the mask."""
        inwards = np.stack([-self.step[:, 1], self.step[:, 0]], 1)  # the mask is on the right-hand side
        cuts = np.stack([x, self.ring[edges, 1]], 1)
        into = inwards[edges] + np.array([1, 0])
        corners = inwards + np.roll(inwards, 1, axis=0)
        return np.insert(self.ring, edges + 1, cuts, axis=0), np.insert(corners, edges + 1, into, axis=0)


def _hang_holes(lines: list[_Line]) -> None:
    """Cut from the top of each hole straight up to the next line, of the outer ring (the first) or another hole."""
    edges = [
        (line.ring[i, 1], line.ring[i, 0], line.ring[(i + 1) % len(line.ring), 0], n, i)
        for n, line in enumerate(lines)
        for i in np.flatnonzero(line.step[:, 0] > 0)  # the mask lies below
    ]
    y, x0, x1, owner, edge = np.array(edges).T  # (E,) each
    for hole in lines[1:]:
        x = hole.cuts[0][1]
        above = np.where((x0 <= x) & (x < x1) & (y < hole.top), y, -1).argmax()
        lines[owner[above]].cuts.append((int(edge[above]), x, hole))


def _steps(ring: Ring) -> Ring:
    """The direction (n, 2) of the edge that leaves each corner."""
    return np.sign(np.roll(ring, -1, axis=0) - ring)


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


def simple_rings(mask: NDArray[np.bool_], tolerance: float = 0.0) -> list[Ring]:
    """The same of rings that meet themselves nowhere, as a valid polygon and its holes want them: one that passes a
    corner twice is two rings there.  With a tolerance lines are simplified, and may cross."""
    parts = [part for ring in rings(mask) for part in _parted(ring)]
    outer, *holes = sorted(parts, key=lambda ring: -_twice_area(ring))
    simple = [simplify(ring, tolerance) for ring in (outer, *holes)]
    whole = outer if len(simple[0]) < 3 else simple[0]
    return [whole, *(hole for hole in simple[1:] if len(hole) > 2)]


def _parted(ring: Ring) -> list[Ring]:
    """A ring cut into those between two visits of one corner."""
    found: list[Ring] = []
    path: list[tuple[int, int]] = []
    places: dict[tuple[int, int], int] = {}
    for x, y in ring.tolist():
        if (start := places.get((x, y))) is not None:
            found.append(np.array(path[start:]))
            for corner in path[start:]:
                del places[corner]
            del path[start:]
        places[x, y] = len(path)
        path.append((x, y))
    return [np.array(path), *found]


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


def simplify(ring: Ring, tolerance: float) -> Ring:
    """Leave out corners as long as no line is moved by more than `tolerance` pixels."""
    return ring[kept(ring, tolerance)]


def kept(ring: Ring, tolerance: float, fixed: Sequence[int] | NDArray[np.int64] = ()) -> NDArray[np.bool_]:
    """Which corners (n,) are left if no line is moved by more than `tolerance` pixels; the fixed ones are.

    [Douglas, Peucker 1973], on the two halves between the first corner and the one furthest from it.
    """
    if tolerance <= 0 or len(ring) < 4:
        return np.ones(len(ring), bool)
    far = int(((ring - ring[0]) ** 2).sum(1).argmax())
    x, y = np.concatenate([ring, ring[:1]]).T.astype(float)  # (n + 1,) each, closed
    keep = np.zeros(len(x), bool)
    keep[[0, far, -1, *fixed]] = True
    spans = list(pairwise(np.flatnonzero(keep).tolist()))
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _from_line(x[first : last + 1], y[first : last + 1])
        furthest = int(distance.argmax())
        if distance[furthest] > tolerance**2:
            keep[first + furthest] = True
            spans += [(first, first + furthest), (first + furthest, last)]
    return keep[:-1]


def _from_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared distance of each point (n,) from the segment between the first and the last."""
    x, y = x - x[0], y - y[0]
    along = x[-1] * x[-1] + y[-1] * y[-1]
    if along == 0:
        return x * x + y * y
    share = np.minimum(np.maximum((x * x[-1] + y * y[-1]) / along, 0), 1)
    x, y = x - share * x[-1], y - share * y[-1]
    return x * x + y * y
