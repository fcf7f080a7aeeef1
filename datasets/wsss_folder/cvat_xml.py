"""Boxes, outlines and tags from CVAT's export "CVAT for images 1.1"."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_xml
from wsss_folder.record import Record, Source, Thing, around

TAG_ONLY = ("tag", "points", "polyline", "skeleton", "cuboid")


def read_cvat(path: Path) -> Source:
    """One record per <image>; tags, points and lines give a tag without a box.  Classes in the order of the project.

    Raises WsssError naming the file and the image: truncated, another format, numbers missing.
    """
    root = read_xml(path)
    if root.tag != "annotations":
        raise WsssError(f"{path} is no CVAT export: its root is <{root.tag}>", "Pascal XML goes with --xml")
    if root.find("track") is not None:
        raise WsssError(f"{path} is a video export", "export as 'CVAT for images 1.1'")
    names = (node.findtext("name") or "" for node in root.iterfind("meta//labels/label"))
    classes = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    return Source("CVAT XML", path, [_record(node, path) for node in root.iterfind("image")], classes)


def _record(node: Element, path: Path) -> Record:
    where = f"{path}, image {node.get('id', '?')}"
    name = node.get("name")
    if not name:
        raise WsssError(f"{where} has no name", "export it again")
    tags, things = [], []
    try:
        for child in node:
            label = (child.get("label") or "").strip()
            if not label:
                continue
            tags.append(label)
            if child.tag not in TAG_ONLY:
                things.append(_thing(child, label))
        size = int(node.get("width") or 0), int(node.get("height") or 0)
    except (TypeError, ValueError, KeyError) as error:
        what = f"{where} ('{name}'): <{child.tag}> of '{label}' cannot be read: {error}"
        return Record((name,), where, problem=WsssError(what, "correct it and export again"))
    return Record((name,), where, tuple(dict.fromkeys(tags)), tuple(things), size if all(size) else None)


def _thing(node: Element, label: str) -> Thing:
    if node.tag == "mask":
        left, top, width, height = (_number(node, key) for key in ("left", "top", "width", "height"))
        return Thing(label, (left, top, left + width, top + height))
    if node.tag == "polygon":
        pairs = [pair.split(",") for pair in (node.get("points") or "").split(";")]
        points = [(float(x), float(y)) for x, y in pairs]
    else:
        points = _turned(*_box_or_ellipse(node), math.radians(float(node.get("rotation") or 0)))
    flat = tuple(value for point in points for value in point)
    return Thing(label, around(flat[::2], flat[1::2]), polygons=(flat,) if node.tag != "box" else ())


def _box_or_ellipse(node: Element) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """The centre and the outline about it."""
    if node.tag == "ellipse":
        cx, cy, rx, ry = (_number(node, key) for key in ("cx", "cy", "rx", "ry"))
        angles = [t * math.tau / 64 for t in range(64)]
        return (cx, cy), [(rx * math.cos(a), ry * math.sin(a)) for a in angles]
    if node.tag != "box":
        raise ValueError("a shape of no known kind")
    x0, y0, x1, y1 = (_number(node, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    w, h = (x1 - x0) / 2, (y1 - y0) / 2
    return ((x0 + x1) / 2, (y0 + y1) / 2), [(-w, -h), (w, -h), (w, h), (-w, h)]


def _turned(centre: tuple[float, float], outline: list[tuple[float, float]], turn: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(turn), math.sin(turn)
    return [(centre[0] + u * cos - v * sin, centre[1] + u * sin + v * cos) for u, v in outline]


def _number(node: Element, key: str) -> float:
    text = node.get(key)
    if text is None:
        raise ValueError(f"{key} is missing")
    return float(text)
