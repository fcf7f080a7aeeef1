"""Boxes and outlines from Pascal VOC XML and its kin: one file per image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_cli.data.image_files import files_below
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_folder.record import Corners, Record, Source, Thing, around
from wsss_folder.shapes import Point, flat
from wsss_folder.xml_shapes import BOXES, outlines, read_boxes

BOXED = ("bounding_box", "rectangle", *BOXES)  # <type> of what was drawn as a box: LabelMe's, FAIR1M's, roLabelImg's


def read_pascal(place: Path) -> Source:
    """One record per .xml in a folder and below, or of one file.  Raises WsssError if there is none."""
    if not place.exists():
        raise WsssError(f"there is no {place}", "give the folder of the .xml annotations with --xml")
    files = [place] if place.is_file() else list(xml_files(place))
    if not files:
        raise WsssError(f"{place} holds no .xml", "give the folder of the .xml annotations with --xml")
    folder = place.parent if place.is_file() else place
    return Source("Pascal XML", place, [_record(path, folder) for path in files])


def xml_files(folder: Path) -> Iterator[Path]:
    """Those below a folder, but for what GDAL writes beside pictures, a.tif.aux.xml."""
    return (path for path in files_below(folder, (".xml",)) if not path.name.endswith(".aux.xml"))


def _record(path: Path, folder: Path) -> Record:
    below = path.relative_to(folder).with_suffix("").as_posix()
    try:
        root = read_xml(path)
        if root.tag != "annotation":
            raise WsssError(
                f"{path} is no Pascal annotation: its root is <{root.tag}>", "CVAT's export goes with --cvat"
            )
        there = [node for node in root.iter("object") if (node.findtext("deleted") or "").strip() != "1"]
        things = tuple(thing for node in there for thing in _things(node, path))
    except WsssError as error:
        return Record((below, path.stem), str(path), problem=error)
    file = (root.findtext("filename") or "").strip()
    inside = (root.findtext("folder") or "").strip()
    names = (below, *((f"{inside}/{file}", file) if file else ()), path.stem)
    return Record(names, str(path), things=things, size=_size(root))


def _things(node: Element, path: Path) -> list[Thing]:
    """The object; several where it has several boxes and no outline.  What was drawn as a box has no outline."""
    name = (node.findtext("name") or node.findtext("possibleresult/name") or "").strip()  # the second is FAIR1M's
    if not name:
        raise WsssError(f"{path}: an <object> has no <name>", "correct it")
    try:
        points = outlines(node)
        boxes = read_boxes(node) or _around(points)
    except ValueError as error:
        raise WsssError(f"{path}: the box or outline of '{name}' cannot be read: {error}", "correct it") from error
    if not boxes:
        raise WsssError(f"{path}: '{name}' has neither a box nor an outline", f"add a <{BOXES[0]}>, or remove it")
    drawn = (node.findtext("type") or "").strip() not in BOXED
    polygons = tuple(map(flat, points)) if drawn else ()
    return [Thing(name, corners, polygons=polygons) for corners in (boxes[:1] if polygons else boxes)]


def _around(outlines: list[list[Point]]) -> list[Corners]:
    points = [point for outline in outlines for point in outline]
    return [around(tuple(x for x, _ in points), tuple(y for _, y in points))] if points else []


def _size(root: Element) -> tuple[int, int] | None:
    """None if a side is missing or 0, which tools write for not known."""
    try:
        sides = (("size/width", "imagesize/ncols"), ("size/height", "imagesize/nrows"))
        width, height = (float(root.findtext(a) or root.findtext(b) or 0) for a, b in sides)
    except ValueError:
        return None
    return (int(width), int(height)) if math.isfinite(width * height) and width * height > 0 else None
