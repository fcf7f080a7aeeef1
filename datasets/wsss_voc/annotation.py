"""One XML of VOC: the classes named in it and their boxes."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_cli.data.prepared import Box, class_id
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_annotation(path: Path, width: int, height: int, classes: tuple[str, ...]) -> tuple[Box, ...]:
    """The boxes of every object, difficult ones too, clipped to the image; the tags are their labels.

    Raises WsssError naming the file: malformed, made for an image of another size, an unknown class, a bad box.
    """
    root = read_xml(path)
    _require_size(root, path, width, height)
    return tuple(_box(node, path, width, height, classes) for node in root.findall("object"))


def to_half_open(corners: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """VOC's 1-based inclusive corners -> 0-based half-open x0, y0, x1, y1, clipped to the image.

    x0 = floor(xmin) - 1, x1 = ceil(xmax): decimal corners grow to whole pixels, so that the box holds the whole object.
    Raises ValueError if nothing is left.
    """
    xmin, ymin, xmax, ymax = corners
    if not all(map(math.isfinite, corners)):
        raise ValueError("is not finite")
    if xmax < xmin or ymax < ymin:
        raise ValueError("is inverted")
    x0, y0 = max(math.floor(xmin) - 1, 0), max(math.floor(ymin) - 1, 0)
    x1, y1 = min(math.ceil(xmax), width), min(math.ceil(ymax), height)
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"lies outside the image of {width} x {height}")
    return x0, y0, x1, y1


def _box(node: Element, path: Path, width: int, height: int, classes: tuple[str, ...]) -> Box:
    name = (node.findtext("name") or "").strip()
    try:
        label = class_id(name, classes)
    except WsssError as error:
        raise WsssError(f"{path}: {error.what}", error.remedy) from error
    texts = [(node.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    shown = ", ".join(f"{c} {t or 'missing'}" for c, t in zip(CORNERS, texts, strict=True))
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError as error:
        raise WsssError(f"{path}: the box of '{name}' is not four numbers ({shown})", "correct it") from error
    try:
        return Box(label, *to_half_open((xmin, ymin, xmax, ymax), width, height))
    except ValueError as error:
        raise WsssError(f"{path}: the box of '{name}' {error} ({shown})", "correct or remove it") from error


def _require_size(root: Element, path: Path, width: int, height: int) -> None:
    """Boxes drawn on another picture, or before it was turned, would be misplaced.  A size of 0 means not given."""
    texts = [(root.findtext(f"size/{side}") or "").strip() for side in ("width", "height")]
    if not all(t.isdigit() and int(t) for t in texts):
        return
    given = tuple(map(int, texts))
    if given != (width, height):
        raise WsssError(
            f"{path} is for an image of {given[0]} x {given[1]}, but the image is {width} x {height}",
            "its boxes would be misplaced: give the annotation of this very image",
        )
