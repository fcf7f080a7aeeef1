"""Outlines as signed distances: negative inside, in units of the object's radius.

Only +, -, *, /, sqrt, min and max touch pixels, which IEEE 754 rounds the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Where an object lies: centre and radius in pixels, stretch along its own axis u, turn in radians."""

    x: float
    y: float
    radius: float
    stretch: float = 1.0
    turn: float = 0.0

    def body(self, h: int, w: int) -> tuple[Field, Field]:
        """Each pixel centre in the object's own coordinates u, v (h, w), the object about -1..1."""
        dy = np.arange(h, dtype=np.float64)[:, None] + 0.5 - self.y  # (h, 1)
        dx = np.arange(w, dtype=np.float64)[None, :] + 0.5 - self.x  # (1, w)
        cos, sin = math.cos(self.turn) / self.radius, math.sin(self.turn) / self.radius
        return (dx * cos + dy * sin) / self.stretch, (dy * cos - dx * sin) * self.stretch


def disc(u: Field, v: Field) -> Field:
    return np.sqrt(u * u + v * v) - 0.92


def square(u: Field, v: Field) -> Field:
    return np.maximum(abs(u), abs(v)) - 0.8


def triangle(u: Field, v: Field) -> Field:
    return np.max(_planes(u, v, 3), axis=0) - 0.52


def star(u: Field, v: Field) -> Field:
    """A pentagram is what lies within at least four of its five lines."""
    return np.sort(_planes(u, v, 5), axis=0)[-2] - 0.36


def ring(u: Field, v: Field) -> Field:
    return abs(np.sqrt(u * u + v * v) - 0.68) - 0.27


def cross(u: Field, v: Field) -> Field:
    a, b = abs(u), abs(v)
    return np.minimum(np.maximum(a - 0.95, b - 0.32), np.maximum(a - 0.32, b - 0.95))


def hexagon(u: Field, v: Field) -> Field:
    return np.max(_planes(u, v, 6), axis=0) - 0.78


def lens(u: Field, v: Field) -> Field:
    return np.sqrt(u * u + (abs(v) + 0.75) ** 2) - 1.25


def bar(u: Field, v: Field) -> Field:
    return np.maximum(abs(u) - 0.95, abs(v) - 0.22)


Outline = Callable[[Field, Field], Field]
CLASSES: dict[str, Outline] = {
    "disc": disc,
    "square": square,
    "triangle": triangle,
    "star": star,
    "ring": ring,
    "cross": cross,
}
DISTRACTORS: tuple[Outline, ...] = (hexagon, lens, bar)


def _planes(u: Field, v: Field, n: int) -> Field:
    """(n, h, w) signed distances along n directions, the first one down."""
    angles = [math.tau * k / n for k in range(n)]
    return np.stack([math.cos(a) * v + math.sin(a) * u for a in angles])
