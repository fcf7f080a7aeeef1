"""Boxes and outlines from Pascal VOC XML and its kin: one file per image."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_cli.data.image_files import files_below
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source, Thing, around
from wsss_folder.shapes import Point, box, flat, turned

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_pascal(place: Path) -> Source:
    """One record per .xml in a folder and below, or of one file.  Raises WsssError if there is none."""
    if not place.exists():
        raise WsssError(f"there is no {place}", "give the folder of the .xml annotations with --xml")
    files = [place] if place.is_file() else list(files_below(place, (".xml",)))
    if not files:
        raise WsssError(f"{place} holds no .xml", "give the folder of the .xml annotations with --xml")
    folder = place.parent if place.is_file() else place
    return Source("Pascal XML", place, [_record(path, folder) for path in files])


def _record(path: Path, folder: Path) -> Record:
    below = path.relative_to(folder).with_suffix("").as_posix()
    try:
        root = read_xml(path)
        if root.tag != "annotation":
            raise WsssError(
                f"{path} is no Pascal annotation: its root is <{root.tag}>", "CVAT's export goes with --cvat"
            )
        there = [node for node in root.findall("object") if (node.findtext("deleted") or "").strip() != "1"]
        things = tuple(_thing(node, path) for node in there)
    except WsssError as error:
        return Record((below, path.stem), str(path), problem=error)
    file = (root.findtext("filename") or "").strip()
    inside = (root.findtext("folder") or "").strip()
    names = (below, *((f"{inside}/{file}", file) if file else ()), path.stem)
    return Record(names, str(path), things=things, size=_size(root))


def _thing(node: Element, path: Path) -> Thing:
    """Corners are 1-based and inclusive in VOC: x0 = xmin - 1, x1 = xmax; points of outlines are real, from 0."""
    name = (node.findtext("name") or "").strip()
    if not name:
        raise WsssError(f"{path}: an <object> has no <name>", "correct it")
    try:
        points = _outline(node)
        turned_box = node.find("robndbox")
        if node.find("bndbox") is None and turned_box is not None:
            return _around(name, _turned_box(turned_box))
        if node.find("bndbox") is None and len(points) > 2:
            drawn = (node.findtext("type") or "").strip() != "bounding_box"
            return _around(name, points, (flat(points),) if drawn else ())
    except ValueError as error:
        raise WsssError(f"{path}: the outline of '{name}' is not all numbers: {error}", "correct it") from error
    texts = [(node.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError as error:
        shown = ", ".join(f"{c} {t or 'missing'}" for c, t in zip(CORNERS, texts, strict=True))
        raise WsssError(f"{path}: the box of '{name}' is not four numbers ({shown})", "correct it") from error
    return Thing(name, (xmin - 1, ymin - 1, xmax, ymax), polygons=(flat(points),) if len(points) > 2 else ())


def _around(name: str, points: list[Point], polygons: tuple[tuple[float, ...], ...] = ()) -> Thing:
    xs, ys = zip(*points, strict=True)
    return Thing(name, around(xs, ys), polygons=polygons)


def _outline(node: Element) -> list[Point]:
    """The points of <polygon>: <pt><x/><y/></pt>, ... (LabelMe's XML), or <x1/><y1/><x2/><y2/>, ... (Roboflow's)."""
    outline = node.find("polygon")
    if outline is None:
        return []
    if outline.find("pt") is not None:
        return [(_number(pt, "x"), _number(pt, "y")) for pt in outline.iterfind("pt")]
    count = sum(child.tag.startswith("x") for child in outline)
    return [(_number(outline, f"x{n}"), _number(outline, f"y{n}")) for n in range(1, count + 1)]


def _turned_box(node: Element) -> list[Point]:
    """The corners of roLabelImg's <robndbox>: centre, sides and an angle in radians, clockwise."""
    cx, cy, w, h, angle = (_number(node, key) for key in ("cx", "cy", "w", "h", "angle"))
    return turned((cx, cy), box(-w / 2, -h / 2, w / 2, h / 2), angle)


def _number(node: Element, key: str) -> float:
    text = (node.findtext(key) or "").strip()
    if not text:
        raise ValueError(f"<{key}> is missing")
    return float(text)


def _size(root: Element) -> tuple[int, int] | None:
    """None if a side is missing or 0, which tools write for not known."""
    try:
        sides = (("size/width", "imagesize/ncols"), ("size/height", "imagesize/nrows"))
        width, height = (float(root.findtext(a) or root.findtext(b) or 0) for a, b in sides)
    except ValueError:
        return None
    return (int(width), int(height)) if math.isfinite(width * height) and width * height > 0 else None
