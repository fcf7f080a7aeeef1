"""Oriented boxes (OBB) among YOLO labels: rows of four corners, which look as outlines do and are no true mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wsss_folder.record import Record, Thing

CORNERS = 8  # numbers
OFF = 0.1  # of its size: how far the corners of a hand-drawn box are from a parallelogram
TURNED = 0.002  # of the image: how far from upright, at least


def without_oriented(records: list[Record], task: str) -> tuple[list[Record], str]:
    """The records, oriented boxes without their outlines; and what to say of it.

    task  of data.yaml: obb or segment says what rows of four corners are.  Without it they are boxes where every row of
          every label has four corners that make a parallelogram, of which some are turned.
    """
    things = [thing for record in records for thing in record.things]
    if not things or not all(_four_cornered(thing) for thing in things):
        return records, ""
    hint = "(task: segment in data.yaml says that they are outlines)"
    if task == "obb" or (task != "segment" and all(map(_is_box, things)) and any(map(_is_turned, things))):
        bare = [replace(r, things=tuple(replace(t, polygons=()) for t in r.things)) for r in records]
        return bare, f"every row is a turned box (OBB): its box is taken, it is no outline {hint}"
    if task == "segment":
        return records, ""
    return records, "every row is an outline of four corners: if these are boxes (OBB), say task: obb in data.yaml"


def _four_cornered(thing: Thing) -> bool:
    return [len(outline) for outline in thing.polygons] == [CORNERS]


def _is_box(thing: Thing) -> bool:
    """Whether both diagonals have one middle; shares of the sides tell as pixels do."""
    (outline,) = thing.polygons
    left, top, right, bottom = thing.corners
    return all(
        abs(a + c - b - d) <= OFF * max(size, TURNED)
        for (a, b, c, d), size in ((_axis(outline, 0), right - left), (_axis(outline, 1), bottom - top))
    )


def _is_turned(thing: Thing) -> bool:
    """Whether no side is upright or level."""
    (outline,) = thing.polygons
    (xa, xb, *_), (ya, yb, *_) = _axis(outline, 0), _axis(outline, 1)
    return abs(xb - xa) > TURNED and abs(yb - ya) > TURNED


def _axis(outline: Sequence[float], start: int) -> tuple[float, float, float, float]:
    a, b, c, d = outline[start::2]
    return a, b, c, d
