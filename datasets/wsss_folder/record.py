"""What every source of annotations is read into, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wsss_cli.errors import WsssError
from wsss_folder.run_lengths import Runs

NAMELESS = "only regions without a class"  # why an image has no label
Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """One object in an image.

    corners   x0, y0, x1, y1, real, half-open; in pixels, or as shares of width and height if `relative`
    polygons  outlines x, y, x, y, ... in the same unit; rle  run lengths instead
    crowd     "" for an object; for a group of them, which has no box, what becomes of its pixels: "ignore" or "skip"
    z         of two objects the one of the higher z is on top
    """

    name: str
    corners: Corners
    relative: bool = False
    polygons: tuple[tuple[float, ...], ...] = ()
    rle: Runs | None = None
    crowd: Literal["", "ignore", "skip"] = ""
    z: int = 0


@dataclass(frozen=True)
class Record:
    """What one source says of one image.

    names    what the source calls the image, the most exact first; the first that fits an image counts
    where    file and line, key or number, for messages
    size     (width, height) the source believes the image to have
    problem  why the rest is missing, if it could not be read
    shapeless  objects of which the source tells the class at most: the image has no full mask
    unlabelled  why the source says nothing of the image ("never annotated"), though it lists it; "" if it does
    split    the split that the source puts it into, in its own word
    """

    names: tuple[str, ...]
    where: str
    tags: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    size: tuple[int, int] | None = None
    problem: WsssError | None = None
    shapeless: int = 0
    unlabelled: str = ""
    split: str = ""


@dataclass(frozen=True)
class Source:
    """One source, read.  classes in its own order, () if it has none; notes and warnings for people; table  whether it
    is one, which may have a column of splits."""

    format: str
    place: Path
    records: list[Record]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    table: bool = False


def why_unlabelled(records: Sequence[Record]) -> str:
    """Why an image has no label, if none of its records is one; else ""."""
    if not records:
        return "in no annotation"
    return records[0].unlabelled if all(record.unlabelled for record in records) else ""


def around(xs: tuple[float, ...], ys: tuple[float, ...]) -> Corners:
    """The corners of the box around points.  Raises ValueError if there is none."""
    return min(xs), min(ys), max(xs), max(ys)


def outlined(name: str, polygons: Sequence[tuple[float, ...]]) -> Thing:
    """The object of outlines x, y, x, y, ..., with the box around all.  Raises ValueError if there is none."""
    numbers = [number for polygon in polygons for number in polygon]
    return Thing(name, around(tuple(numbers[::2]), tuple(numbers[1::2])), polygons=tuple(polygons))


def cut(rings: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """One outline of an outer ring and its holes, each x, y, x, y, ...: a cut to each hole is gone through twice, which
    leaves it out."""
    outer, *holes = rings
    start = outer[:2]
    return (*outer, *start, *(value for hole in holes for value in (*hole, *hole[:2], *start)))
