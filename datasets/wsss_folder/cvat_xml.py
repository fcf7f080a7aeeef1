"""Boxes, outlines and tags from CVAT's export "CVAT for images 1.1"."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.images import require_pixels
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source, Thing, around
from wsss_folder.run_lengths import runs_of
from wsss_folder.shapes import Point, box, ellipse, flat, turned

NO_AREA = ("points", "polyline", "skeleton")
CUBOID = ("tl1", "tr1", "br1", "bl1", "tl2", "tr2", "br2", "bl2")  # its corners, as x and y followed by these
DEFAULT = "default"  # the subset of what is in none


def read_cvat(path: Path) -> Source:
    """One record per <image>; points, lines and skeletons give a tag without a box.  Classes in the project's order.

    A frame without anything is unlabelled: whether somebody has opened it is not in the file.

    Raises WsssError naming the file and the image: truncated, another format, numbers missing.
    """
    root = read_xml(path)
    if root.tag != "annotations":
        raise WsssError(f"{path} is no CVAT export: its root is <{root.tag}>", "Pascal XML goes with --xml")
    if root.find("track") is not None:
        raise WsssError(f"{path} is an export of tracks in a video", "export as 'CVAT for images 1.1'")
    labels = root.iterfind("meta//labels/label")
    names = (node.findtext("name") or "" for node in labels if not node.findtext("parent"))  # else a skeleton's point
    classes = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    return Source("CVAT XML", path, [_record(node, path) for node in root.iterfind("image")], classes)


def _record(node: Element, path: Path) -> Record:
    where = f"{path}, image {node.get('id', '?')}"
    name = node.get("name")
    if not name:
        raise WsssError(f"{where} has no name", "export it again")
    shapes = [child for child in node if (child.get("label") or "").strip() and child.get("outside") != "1"]
    things, child = [], node
    try:
        size = _size(node)
        for child in shapes:
            things += [_thing(child, size)] if child.tag not in ("tag", *NO_AREA) else []
    except (TypeError, ValueError, OverflowError) as error:
        part = "its size" if child is node else f"<{child.tag}> of '{child.get('label')}'"
        what = f"{where} ('{name}'): {part} cannot be read: {error}"
        return Record((name,), where, problem=WsssError(what, "correct it and export again"))
    subset = (node.get("subset") or "").strip()
    return Record(
        (name,),
        where,
        tags=tuple(dict.fromkeys(_label(child) for child in shapes if child.tag in ("tag", *NO_AREA))),
        things=tuple(things),
        size=size,
        shapeless=sum(child.tag in NO_AREA for child in shapes),
        unlabelled="" if shapes else "without an annotation",
        split="" if subset.lower() == DEFAULT else subset,
    )


def _label(node: Element) -> str:
    return (node.get("label") or "").strip()


def _size(node: Element) -> tuple[int, int] | None:
    width, height = int(node.get("width") or 0), int(node.get("height") or 0)
    return (width, height) if width and height else None


def _thing(node: Element, size: tuple[int, int] | None) -> Thing:
    label, z = _label(node), int(node.get("z_order") or 0)
    if node.tag == "mask":
        if size is None:
            raise ValueError("the image's size is missing")
        runs = runs_of(_mask(node, *size))
        return Thing(label, runs.corners(), rle=runs, z=z)
    if node.tag == "polygon":
        pairs = [pair.split(",") for pair in (node.get("points") or "").split(";")]
        points = [(float(x), float(y)) for x, y in pairs]
    elif node.tag == "cuboid":
        points = [(_number(node, f"x{corner}"), _number(node, f"y{corner}")) for corner in CUBOID]
    else:
        points = turned(*_box_or_ellipse(node), math.radians(float(node.get("rotation") or 0)))
    outline = flat(points)
    polygons = (outline,) if node.tag in ("polygon", "ellipse") else ()
    return Thing(label, around(outline[::2], outline[1::2]), polygons=polygons, z=z)


def _mask(node: Element, width: int, height: int) -> NDArray[np.bool_]:
    """(height, width) of a mask, whose run lengths go along the rows of its box, outside first."""
    left, top, w, h = (int(_number(node, key)) for key in ("left", "top", "width", "height"))
    counts = [int(count) for count in (node.get("rle") or "").split(",")]
    if min(counts) < 0 or sum(counts) != w * h:
        raise ValueError(f"its run lengths cover {sum(counts)} pixels, not {w} x {h}")
    if left < 0 or top < 0 or left + w > width or top + h > height:
        raise ValueError(f"it goes beyond the image of {width} x {height}")
    require_pixels(width, height)
    mask = np.zeros((height, width), bool)
    mask[top : top + h, left : left + w] = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(h, w)
    return mask


def _box_or_ellipse(node: Element) -> tuple[Point, list[Point]]:
    """The centre and the outline about it."""
    if node.tag == "ellipse":
        cx, cy, rx, ry = (_number(node, key) for key in ("cx", "cy", "rx", "ry"))
        return (cx, cy), ellipse(rx, ry)
    if node.tag != "box":
        raise ValueError("a shape of no known kind")
    x0, y0, x1, y1 = (_number(node, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    w, h = (x1 - x0) / 2, (y1 - y0) / 2
    return ((x0 + x1) / 2, (y0 + y1) / 2), box(-w, -h, w, h)


def _number(node: Element, key: str) -> float:
    text = node.get(key)
    if text is None:
        raise ValueError(f"{key} is missing")
    return float(text)
