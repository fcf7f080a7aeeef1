"""Corners of any source -> the box of whole pixels."""

from __future__ import annotations

import math

from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Thing

SLACK = 0.05


def pixel_box(thing: Thing, label: int, record: Record, width: int, height: int) -> Box:
    """The smallest box of whole pixels that holds the object, clipped to the image of width x height.

    x0 = floor(left), x1 = ceil(right), half-open, where SLACK of a pixel does not count: files hold few decimals. One
    that is thinner than that is one pixel wide.
    Raises WsssError if the corners are not finite, inverted or empty, or outside the image.
    """
    scale = (width, height, width, height) if thing.relative else (1, 1, 1, 1)
    left, top, right, bottom = (corner * side for corner, side in zip(thing.corners, scale, strict=True))
    shown = f"{record.where}: the box of '{thing.name}' ({left:g}, {top:g}, {right:g}, {bottom:g})"
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise WsssError(f"{shown} is not finite", "correct or remove it")
    if right <= left or bottom <= top:
        raise WsssError(f"{shown} is inverted or empty", "correct or remove it")
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise WsssError(f"{shown} lies outside the image of {width} x {height}", "correct or remove it")
    (x0, x1), (y0, y1) = _pixels(left, right, width), _pixels(top, bottom, height)
    return Box(label, x0, y0, x1, y1)


def _pixels(start: float, stop: float, side: int) -> tuple[int, int]:
    first = min(max(math.floor(start + SLACK), 0), side - 1)
    return first, min(max(math.ceil(stop - SLACK), first + 1), side)


def require_size(record: Record, width: int, height: int) -> None:
    """Raises WsssError if the source means an image of another size: its boxes would be misplaced."""
    if record.size is not None and record.size != (width, height):
        raise WsssError(
            f"{record.where}: is for an image of {record.size[0]} x {record.size[1]}, "
            f"but '{record.names[0]}' is {width} x {height}",
            "give the annotation of this very image, or the image as it was annotated",
        )
