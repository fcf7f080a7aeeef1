"""Surfaces: backgrounds, bodies and marks, as RGB fields (h, w, 3) in 0..255."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wsss_shapes.draws import Draws

Field = NDArray[np.float64]
Colour = tuple[float, float, float]


def noise(draws: Draws, h: int, w: int, cell: float) -> Field:
    """Smooth noise (h, w) in [0, 1]: random values `cell` pixels apart, smoothstep between them."""
    rows, columns = int(h / cell) + 2, int(w / cell) + 2
    lattice = draws.field(rows, columns)
    y, x = np.arange(h) / cell, np.arange(w) / cell
    j, i = y.astype(int), x.astype(int)
    fy, fx = _smooth(y - j)[:, None], _smooth(x - i)[None, :]  # (h, 1), (1, w)
    upper = lattice[j][:, i] * (1 - fx) + lattice[j][:, i + 1] * fx
    lower = lattice[j + 1][:, i] * (1 - fx) + lattice[j + 1][:, i + 1] * fx
    return upper * (1 - fy) + lower * fy


def wave(t: Field) -> Field:
    """A triangle wave of period 1 in [0, 1]."""
    return abs(2 * (t - np.floor(t)) - 1)


def blend(low: Colour, high: Colour, t: Field) -> Field:
    """(h, w, 3): colour `low` where t is 0, `high` where it is 1."""
    return np.array(low) * (1 - t[..., None]) + np.array(high) * t[..., None]


def vary(draws: Draws, colour: Colour, by: float) -> Colour:
    """The colour, lighter or darker and each channel shifted, by up to `by`."""
    light = draws.between(-by, by)
    r, g, b = (c + light + draws.between(-by, by) / 2 for c in colour)
    return r, g, b


def meadow(draws: Draws, h: int, w: int) -> Field:
    t = 0.5 * noise(draws, h, w, 2.0) + 0.5 * noise(draws, h, w, 9.0)
    return blend(vary(draws, (62, 92, 44), 14), vary(draws, (140, 164, 88), 14), t)


def sky(draws: Draws, h: int, w: int) -> Field:
    height = np.arange(h)[:, None] / h * np.ones((1, w))
    clouds = noise(draws, h, w, 22.0)
    return blend(vary(draws, (112, 150, 200), 14), vary(draws, (216, 226, 234), 10), 0.5 * height + 0.5 * clouds)


def sand(draws: Draws, h: int, w: int) -> Field:
    t = 0.4 * noise(draws, h, w, 1.5) + 0.6 * noise(draws, h, w, 16.0)
    return blend(vary(draws, (166, 138, 96), 14), vary(draws, (222, 200, 158), 14), t)


def bricks(draws: Draws, h: int, w: int) -> Field:
    row_height, length = draws.between(7, 10), draws.between(16, 24)
    y, x = np.arange(h)[:, None] / row_height, np.arange(w)[None, :] / length
    x = x + 0.5 * (np.floor(y) % 2)
    joint = ((y - np.floor(y) < 0.16) | (x - np.floor(x) < 0.08)).astype(np.float64)
    wall = blend(vary(draws, (138, 84, 70), 12), vary(draws, (172, 116, 96), 12), noise(draws, h, w, 6.0))
    return wall * (1 - joint[..., None]) + np.array((176.0, 168.0, 158.0)) * joint[..., None]


def planks(draws: Draws, h: int, w: int) -> Field:
    width = draws.between(10, 16)
    x = np.arange(w)[None, :] / width * np.ones((h, 1))
    grain = noise(draws, h, w, 3.0)[:, :1] * 0.2 + noise(draws, h, w, 2.0) * 0.3 + 0.5 * ((np.floor(x) * 0.37) % 1)
    wood = blend(vary(draws, (104, 76, 54), 12), vary(draws, (166, 130, 92), 12), grain)
    return wood * (1 - 0.4 * (x - np.floor(x) < 0.08)[..., None])


def water(draws: Draws, h: int, w: int) -> Field:
    y = np.arange(h)[:, None] / draws.between(7, 12) + 1.2 * noise(draws, h, w, 18.0)
    t = 0.7 * wave(y) + 0.3 * noise(draws, h, w, 5.0)
    return blend(vary(draws, (48, 96, 118), 12), vary(draws, (122, 172, 184), 12), t)


Ground = Callable[[Draws, int, int], Field]
GROUNDS: tuple[Ground, ...] = (meadow, sky, sand, bricks, planks, water)

BODY_HUES: tuple[Colour, ...] = (
    (186, 92, 72),
    (204, 160, 70),
    (96, 150, 98),
    (78, 128, 172),
    (146, 104, 168),
    (134, 130, 128),
)


def body(draws: Draws, colour: Colour, pattern: int, u: Field, v: Field) -> Field:
    """The skin of an object: 0 clouded, 1 banded along u, 2 speckled; much alike in all classes."""
    h, w = u.shape
    if pattern == 0:
        t = noise(draws, h, w, 7.0)
    elif pattern == 1:
        t = wave(u * draws.between(1.8, 2.6) + draws.between(0, 1)) * 0.8 + 0.2 * noise(draws, h, w, 3.0)
    else:
        t = np.clip(noise(draws, h, w, 2.5) * 2.6 - 0.9, 0, 1)
    shade = 1.08 - 0.16 * np.clip(0.5 * (v + 1), 0, 1)
    dark: Colour = (colour[0] * 0.72, colour[1] * 0.72, colour[2] * 0.72)
    light: Colour = (colour[0] * 1.16 + 14, colour[1] * 1.16 + 14, colour[2] * 1.16 + 14)
    return blend(dark, light, t) * shade[..., None]


WHITE: Colour = (240, 238, 230)
INKS: tuple[Colour, ...] = ((196, 36, 40), (32, 62, 150), (28, 28, 30))


def mark(kind: int, u: Field, v: Field) -> Field:
    """The small sign that tells the class: bull's-eye (even) or stripes (odd) in one of three inks on white.

    u, v  coordinates in which the mark is the unit disc
    """
    rho = np.sqrt(u * u + v * v)
    t = (abs(rho - 0.72) < 0.22) | (rho < 0.24) if kind % 2 == 0 else wave(u * 0.9 + 0.25) < 0.5
    return blend(WHITE, INKS[kind // 2], t.astype(np.float64))


def _smooth(t: Field) -> Field:
    return t * t * (3 - 2 * t)
