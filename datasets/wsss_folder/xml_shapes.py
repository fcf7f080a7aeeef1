"""The boxes and outlines within an <object> of Pascal's kin, in the forms that tools write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from wsss_folder.record import Corners, around
from wsss_folder.shapes import Point, box, turned

OUTLINES = ("polygon", "points", "segmentation")  # elements that hold points, or others of these
BOXES = ("bndbox", "robndbox")
PIXELS = ("xmin", "ymin", "xmax", "ymax")  # VOC's corners, 1-based and inclusive
CLOCKWISE = ("left_top", "right_top", "right_bottom", "left_bottom")  # DIOR's corners of a turned box: x_left_top, ...
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def outlines(node: Element) -> list[list[Point]]:
    """The outlines of three points or more below `node`.  Raises ValueError for one that is no list of points."""
    found = [points for child in node if child.tag in OUTLINES for points in _points(child)]
    return [points for points in found if len(points) > 2]


def read_box(node: Element) -> Corners | None:
    """Half-open corners of the box of an object; None if it has none.

    Raises ValueError for one of another form than corners, sides or four points.
    """
    there = [child for tag in BOXES if (child := node.find(tag)) is not None]
    if not there:
        return None
    tags = {child.tag for child in there[0]}
    if not tags.isdisjoint(PIXELS):
        left, top, right, bottom = (number(there[0], key) for key in PIXELS)
        return left - 1, top - 1, right, bottom
    xs, ys = zip(*_corners(there[0], tags), strict=True)
    return around(xs, ys)


def number(node: Element, key: str) -> float:
    text = (node.findtext(key) or "").strip()
    if not text:
        raise ValueError(f"<{key}> is missing")
    return float(text)


def _corners(node: Element, tags: set[str]) -> list[Point]:
    """From 0: four corners in either manner, two of them, centre, sides and angle, or upper left corner and sides."""
    if "x_left_top" in tags:
        return [(number(node, f"x_{place}"), number(node, f"y_{place}")) for place in CLOCKWISE]
    if "cx" in tags:  # roLabelImg's, the angle in radians, clockwise
        cx, cy, w, h, angle = (number(node, key) for key in ("cx", "cy", "w", "h", "angle"))
        return turned((cx, cy), box(-w / 2, -h / 2, w / 2, h / 2), angle)
    if "x1" in tags:
        return _numbered(node)
    sides = ("width", "height") if "width" in tags else ("w", "h")
    x, y, w, h = (number(node, key) for key in ("x", "y", *sides))
    return box(x, y, x + w, y + h)


def _points(node: Element) -> Iterator[list[Point]]:
    """The outlines that an element holds: those of elements within, or its own points."""
    tags = [child.tag for child in node]
    inner = [child for child in node if child.tag in OUTLINES]
    each = [child for child in node if child.tag in ("pt", "point")]
    if inner:
        for child in inner:
            yield from _points(child)
    elif each:
        yield [_point(child) for child in each]
    elif "x1" in tags:
        yield _numbered(node)
    elif "x" in tags:
        xs, ys = ([float(child.text or "") for child in node.iterfind(axis)] for axis in ("x", "y"))
        yield list(zip(xs, ys, strict=True))
    elif len(numbers := _numbers(node)) > 1:  # one is a flag: <segmentation>0</segmentation>
        if len(numbers) % 2:
            raise ValueError(f"<{node.tag}> holds {len(numbers)} numbers, which are no pairs")
        yield list(zip(numbers[::2], numbers[1::2], strict=True))


def _point(node: Element) -> Point:
    """<x>1</x><y>2</y>, x="1" y="2", or the text 1,2."""
    if node.get("x") is not None:
        return float(node.get("x", "")), float(node.get("y", ""))
    if node.find("x") is not None:
        return number(node, "x"), number(node, "y")
    x, y = _numbers(node)
    return x, y


def _numbered(node: Element) -> list[Point]:
    """<x1/><y1/><x2/><y2/>, ..., from 0 or from 1 on."""
    names = sorted(int(child.tag[1:]) for child in node if re.fullmatch(r"x\d+", child.tag))
    return [(number(node, f"x{n}"), number(node, f"y{n}")) for n in names]


def _numbers(node: Element) -> list[float]:
    """The numbers of a text, whatever stands between them.  Raises ValueError for words."""
    text = (node.text or "").strip()
    if re.search(r"[^-+\d.eE\s,;:()\[\]]", text):
        raise ValueError(f"<{node.tag}> holds '{text[:40]}'")
    return [float(found) for found in re.findall(NUMBER, text)]
