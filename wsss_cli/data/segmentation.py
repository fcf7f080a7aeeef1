"""COCO's `segmentation` in the forms that tools write: polygons, run lengths, lists of either, text that holds them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

POINTS = 3  # of a polygon, at least
FAR = 10  # image sides: pycocotools draws every fifth of a pixel on the way to a point, however far that is


class Outline(NamedTuple):
    """polygons x, y, x, y, ...; runs {"size", "counts"}; short  parts of fewer than three points, left out."""

    polygons: list[list[Any]]
    runs: list[dict[str, Any]]
    short: int

    def __bool__(self) -> bool:
        return bool(self.polygons or self.runs)


def outline_of(segmentation: Any) -> Outline:
    """The parts of an object.  Polygons may be flat, of pairs or {"x", "y"}, alone or nested; any of it may be text.

    Raises ValueError for what is neither polygons nor run lengths; the numbers themselves are not looked at.
    """
    parts = list(_parts(_read(segmentation) if isinstance(segmentation, str) else segmentation))
    polygons = [part for part in parts if isinstance(part, list)]
    whole = [part for part in polygons if len(part) >= 2 * POINTS]
    return Outline(whole, [part for part in parts if isinstance(part, dict)], len(polygons) - len(whole))


def require_near(points: Sequence[float], width: int, height: int) -> None:
    """Raises ValueError for a polygon x, y, x, y, ... that goes farther out of its image than anybody means."""
    far = FAR * max(width, height)
    if any(not abs(v) <= far for v in points):
        raise ValueError(f"a polygon goes to {max(points, key=abs)}, far outside the image")


def short_parts(segmentation: Any) -> int:
    """How many parts have fewer than three points; 0 too if it cannot be read."""
    if isinstance(segmentation, list) and all(isinstance(p, list) and len(p) >= 2 * POINTS for p in segmentation):
        return 0  # as nearly all are, of which there may be millions
    try:
        return outline_of(segmentation).short
    except ValueError:
        return 0


def short_warning(name: str, short: int) -> str | None:
    """What to say of parts of fewer than three points in the file `name`; None if there are none."""
    what = f"{name}: {short} outline(s) have fewer than three points and are left out"
    return f"{what}; an object that has no other is a box" if short else None


def _parts(value: Any) -> Iterator[list[Any] | dict[str, Any]]:
    if not value:
        return
    if isinstance(value, Mapping):
        if "counts" not in value:
            raise ValueError(f"segmentation is a mapping of {', '.join(map(str, value))}, neither polygons nor runs")
        yield {**value, "counts": _counts(value["counts"])}
    elif not isinstance(value, list):
        raise ValueError(f"segmentation is {value!r}")
    elif all(map(_is_point, value)):
        yield [number for point in value for number in _numbers(point)]
    elif not isinstance(value[0], list | Mapping):
        yield value
    else:
        for part in value:
            yield from _parts(part)


def _is_point(part: Any) -> bool:
    if isinstance(part, Mapping):
        return {"x", "y"} <= part.keys()
    return isinstance(part, list) and len(part) == 2 and not any(isinstance(value, list | Mapping) for value in part)


def _numbers(point: Any) -> list[Any]:
    return [point["x"], point["y"]] if isinstance(point, Mapping) else point


def _counts(counts: Any) -> Any:
    """Text as it is, without the b'...' that Python shows bytes with."""
    shown = re.fullmatch(r"""b(['"])(.*)\1""", counts, re.DOTALL) if isinstance(counts, str) else None
    return shown[2].replace("\\\\", "\\").replace("\\'", "'") if shown else counts


def _read(text: str) -> Any:
    """What a text holds, as JSON or as Python shows it."""
    if not text.strip():
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return [value] if isinstance(value, int | float) else value
    raise ValueError(f"segmentation is the text '{text[:40]}', which holds no list")
