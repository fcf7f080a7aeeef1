"""Outlines of the shapes that annotation tools draw, as points."""

from __future__ import annotations

import math
from collections.abc import Iterable

Point = tuple[float, float]
CORNERS = 64  # of an ellipse


def ellipse(a: float, b: float) -> list[Point]:
    """The outline of an ellipse about (0, 0) with the half axes a and b."""
    angles = (t * math.tau / CORNERS for t in range(CORNERS))
    return [(a * math.cos(angle), b * math.sin(angle)) for angle in angles]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """The four corners, clockwise from the upper left one."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def turned(centre: Point, outline: Iterable[Point], turn: float) -> list[Point]:
    """An outline about (0, 0), turned clockwise by `turn` (radians) and moved to `centre`."""
    cos, sin = math.cos(turn), math.sin(turn)
    return [(centre[0] + u * cos - v * sin, centre[1] + u * sin + v * cos) for u, v in outline]


def flat(points: Iterable[Point]) -> tuple[float, ...]:
    """x, y, x, y, ..."""
    return tuple(value for point in points for value in point)
