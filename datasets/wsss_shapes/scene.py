"""One scene: a background, clutter, distractors and one to three objects that may hide parts of each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsss_shapes import textures
from wsss_shapes.draws import Draws
from wsss_shapes.geometry import CLASSES, DISTRACTORS, Field, Outline, Pose, bar, disc, hexagon

OUTLINES: tuple[Outline, ...] = tuple(CLASSES.values())

# Where each class carries its mark, in body coordinates, and how large: one end of the object, never the whole.
MARKS = (
    (0.0, -0.48, 0.36),
    (0.36, -0.36, 0.38),
    (0.0, 0.12, 0.36),
    (0.0, 0.0, 0.36),
    (0.0, -0.68, 0.28),
    (0.0, -0.62, 0.34),
)

VISIBLE = 0.5  # the least share of an object that others leave uncovered
MIN_AREA = 60  # and its least visible pixels


@dataclass(frozen=True)
class Scene:
    """image (h, w, 3) uint8; labels (h, w) uint8, 0 background; objects (label, x0, y0, x1, y1) of what is visible.

    owners (h, w) uint8: the number from 1 of the object that is seen, 0 background
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    objects: tuple[tuple[int, int, int, int, int], ...]
    owners: NDArray[np.uint8]


@dataclass(frozen=True)
class Thing:
    """Something opaque in the scene; label 0 is a distractor."""

    label: int
    pose: Pose
    outline: Outline
    body: tuple[Field, Field]
    distance: Field  # in pixels, negative inside


def make_scene(draws: Draws, h: int, w: int, label: int) -> Scene:
    """A scene of h x w pixels that holds at least one object of class `label` (1..C)."""
    things = _arrange(draws, h, w, label)  # front to back
    picture = _clutter(draws, _ground(draws, h, w, label))
    labels = np.zeros((h, w), np.uint8)
    owner = np.zeros((h, w), np.int64)
    for number, thing in reversed(list(enumerate(things, start=1))):
        picture = _paint(draws, picture, thing)
        inside = thing.distance < 0
        labels[inside] = thing.label
        owner[inside] = number
    numbers = [n for n, thing in enumerate(things, start=1) if thing.label]  # 0 are distractors
    boxes = tuple((things[n - 1].label, *_box(owner == n)) for n in numbers)
    owners = sum(((owner == n) * np.uint8(i) for i, n in enumerate(numbers, start=1)), np.zeros((h, w), np.uint8))
    return Scene(_photograph(draws, picture), labels, boxes, owners)


def _arrange(draws: Draws, h: int, w: int, label: int) -> list[Thing]:
    """Things from front to back: a place is taken only if enough of the newcomer shows between those in front."""
    others = [1 + draws.below(len(OUTLINES)) for _ in range(draws.pick((0, 0, 1, 1, 2)))]
    distractors = [0] * draws.pick((0, 1, 1, 2))
    queue = [label, *others, *distractors] if draws.chance(0.5) else [label, *distractors, *others]
    things: list[Thing] = []
    covered = np.zeros((h, w), bool)
    for wanted in queue:
        for _ in range(8):
            thing = _thing(draws, h, w, wanted)
            inside = thing.distance < 0
            shown = np.count_nonzero(inside & ~covered)
            if shown >= max(MIN_AREA, VISIBLE * np.count_nonzero(inside)):
                things.append(thing)
                covered |= inside
                break
    return things


def _thing(draws: Draws, h: int, w: int, label: int) -> Thing:
    size = max(h, w)
    radius = size * (draws.between(0.14, 0.3) if label else draws.between(0.1, 0.2))
    x, y = (draws.between(0.6 * radius, side - 0.6 * radius) for side in (w, h))
    pose = Pose(x, y, radius, draws.between(0.85, 1.18), draws.between(-math.pi, math.pi))
    outline = OUTLINES[label - 1] if label else draws.pick(DISTRACTORS)
    u, v = pose.body(h, w)
    return Thing(label, pose, outline, (u, v), outline(u, v) * radius)


def _ground(draws: Draws, h: int, w: int, label: int) -> Field:
    """Two textures that meet at an uneven horizon; half of the time the one that goes with the class is among them."""
    usual = textures.GROUNDS[label - 1]
    first = usual if draws.chance(0.5) else draws.pick(textures.GROUNDS)
    second = draws.pick(textures.GROUNDS)
    line = h * draws.between(0.15, 0.85) + 10 * (textures.noise(draws, 1, w, 20.0) - 0.5)  # (1, w)
    above = np.clip(line - np.arange(h)[:, None], 0, 1)[..., None]  # (h, w, 1)
    return first(draws, h, w) * above + second(draws, h, w) * (1 - above)


def _clutter(draws: Draws, image: Field) -> Field:
    """Scatter pebbles and sticks, too small for objects, in the colours of bodies; changes `image`."""
    h, w = image.shape[:2]
    for _ in range(4 + draws.below(8)):
        radius = max(h, w) * draws.between(0.012, 0.05)
        x, y, stretch, turn = (draws.between(*ends) for ends in ((0, w), (0, h), (0.7, 1.6), (0, math.pi)))
        reach = math.ceil(2 * radius) + 1
        left, top = max(int(x) - reach, 0), max(int(y) - reach, 0)
        patch = image[top : int(y) + reach, left : int(x) + reach]  # only here does the pebble show
        pose = Pose(x - left, y - top, radius, stretch, turn)
        distance = draws.pick((disc, bar, hexagon))(*pose.body(*patch.shape[:2])) * radius
        colour = np.array(textures.vary(draws, draws.pick(textures.BODY_HUES), 40))
        patch[:] = _over(patch, colour, distance, 0.85)
    return image


def _paint(draws: Draws, image: Field, thing: Thing) -> Field:
    """A soft shadow, the body, and for objects the mark of the class."""
    u, v = thing.body
    shadow = np.clip(0.5 - np.roll(thing.distance, (2, 2), (0, 1)) / 5, 0, 1) * 0.4
    image = image * (1 - shadow[..., None])
    # A class leans to a hue and a pattern that it shares with another: a hint, no more.
    kin = (thing.label - 1) // 2 if thing.label else draws.below(3)
    hue = kin * 2 + draws.below(2) if draws.chance(0.7) else draws.below(len(textures.BODY_HUES))
    pattern = kin if draws.chance(0.75) else draws.below(3)
    colour = textures.vary(draws, textures.BODY_HUES[hue], 24)
    image = _over(image, textures.body(draws, colour, pattern, u, v), thing.distance)
    if not thing.label:
        return image
    mark_u, mark_v, size = MARKS[thing.label - 1]
    mu, mv = (u - mark_u) / size, (v - mark_v) / size
    edge = (np.sqrt(mu * mu + mv * mv) - 1) * size * thing.pose.radius
    return _over(image, textures.mark(thing.label - 1, mu, mv), np.maximum(edge, thing.distance))


def _over(below: Field, above: Field, distance: Field, opacity: float = 1.0) -> Field:
    """Lay `above` over `below` where distance (pixels) is negative, with an edge one pixel soft."""
    alpha = np.clip(0.5 - distance, 0, 1)[..., None] * opacity
    return below * (1 - alpha) + above * alpha


def _photograph(draws: Draws, image: Field) -> NDArray[np.uint8]:
    """Uneven light, exposure and sensor noise."""
    h, w = image.shape[:2]
    light = 0.82 + 0.3 * textures.noise(draws, h, w, max(h, w) / 2) + draws.between(-0.08, 0.08)
    grain = draws.field(h, w * 3).reshape(h, w, 3) + draws.field(h, w * 3).reshape(h, w, 3) - 1
    return np.floor(np.clip(image * light[..., None] + 9 * grain, 0, 255) + 0.5).astype(np.uint8)


def _box(visible: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
