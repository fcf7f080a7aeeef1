"""The boxes and outlines within an <object> of Pascal's kin, in the forms that tools write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from wsss_cli.data.segmentation import outline_of
from wsss_folder.record import Corners, around
from wsss_folder.shapes import Point, box, turned

OUTLINES = ("polygon", "polygons", "points", "segmentation")  # elements that hold points, or others of these
POINTS = ("pt", "point", "vertex")
BOXES = ("bndbox", "robndbox", "segm/box")  # the last is LabelMe's, of a mask
PIXELS = ("xmin", "ymin", "xmax", "ymax")  # VOC's corners, 1-based and inclusive
CLOCKWISE = ("left_top", "right_top", "right_bottom", "left_bottom")  # DIOR's corners of a turned box: x_left_top, ...
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def outlines(node: Element) -> list[list[Point]]:
    """The outlines of three points or more below `node`.  Raises ValueError for one that is no list of points."""
    found = [points for child in node if child.tag in OUTLINES for points in _points(child)]
    return [points for points in found if len(points) > 2]


def read_boxes(node: Element) -> list[Corners]:
    """Half-open corners of the boxes of an object, nearly always one; those of a kind, the first there is.

    Raises ValueError for one of another form than corners, sides or four points.
    """
    return next((list(map(_read_box, found)) for tag in BOXES if (found := node.findall(tag))), [])


def number(node: Element, key: str) -> float:
    """The number of an element within, or of an attribute.  Raises ValueError."""
    text = (node.findtext(key) or node.get(key) or "").strip()
    if not text:
        raise ValueError(f"<{key}> is missing")
    return float(text)


def _read_box(node: Element) -> Corners:
    tags = {child.tag for child in node} | node.attrib.keys()
    if not tags.isdisjoint(PIXELS):
        left, top, right, bottom = (number(node, key) for key in PIXELS)
        first = int(node.tag != "box")  # LabelMe counts from 0
        return left - first, top - first, right, bottom
    xs, ys = zip(*_corners(node, tags), strict=True)
    return around(xs, ys)


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
    each = [child for child in node if child.tag in POINTS]
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
    elif tags and tags != ["username"]:
        raise ValueError(f"<{node.tag}> holds <{tags[0]}>")
    elif (node.text or "").strip()[:1] in "[{":
        outline = outline_of((node.text or "").strip())
        if outline.runs:
            raise ValueError(f"<{node.tag}> holds run lengths")
        yield from (_pairs(node, list(map(float, polygon))) for polygon in outline.polygons)
    elif len(numbers := _numbers(node)) > 1:  # one is a flag: <segmentation>0</segmentation>
        yield _pairs(node, numbers)


def _pairs(node: Element, numbers: list[float]) -> list[Point]:
    if len(numbers) % 2:
        raise ValueError(f"<{node.tag}> holds {len(numbers)} numbers, which are no pairs")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


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
