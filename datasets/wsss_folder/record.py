"""What every source of annotations is read into, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_folder.run_lengths import Runs

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """One object in an image.

    corners   x0, y0, x1, y1, real, half-open; in pixels, or as shares of width and height if `relative`
    polygons  outlines x, y, x, y, ... in the same unit; rle  run lengths instead
    crowd     a group of objects, not one
    """

    name: str
    corners: Corners
    relative: bool = False
    polygons: tuple[tuple[float, ...], ...] = ()
    rle: Runs | None = None
    crowd: bool = False


@dataclass(frozen=True)
class Record:
    """What one source says of one image.

    names    what the source calls the image, the most exact first; the first that fits an image counts
    where    file and line, key or number, for messages
    size     (width, height) the source believes the image to have
    problem  why the rest is missing, if it could not be read
    """

    names: tuple[str, ...]
    where: str
    tags: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    size: tuple[int, int] | None = None
    problem: WsssError | None = None


@dataclass(frozen=True)
class Source:
    """One source, read.  classes in its own order, () if it has none; notes for people."""

    format: str
    place: Path
    records: list[Record]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def around(xs: tuple[float, ...], ys: tuple[float, ...]) -> Corners:
    """The corners of the box around points.  Raises ValueError if there is none."""
    return min(xs), min(ys), max(xs), max(ys)
