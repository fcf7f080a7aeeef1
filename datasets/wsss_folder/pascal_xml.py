"""Boxes from Pascal VOC XML: one file per image."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_cli.errors import WsssError
from wsss_folder.catalogue import files_below
from wsss_folder.documents import read_xml
from wsss_folder.record import Record, Source, Thing

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
        things = tuple(_thing(node, path) for node in root.findall("object"))
    except WsssError as error:
        return Record((below, path.stem), str(path), problem=error)
    file = (root.findtext("filename") or "").strip()
    inside = (root.findtext("folder") or "").strip()
    names = (below, *((f"{inside}/{file}", file) if file else ()), path.stem)
    return Record(names, str(path), things=things, size=_size(root))


def _thing(node: Element, path: Path) -> Thing:
    """Corners are 1-based and inclusive in VOC: x0 = xmin - 1, x1 = xmax."""
    name = (node.findtext("name") or "").strip()
    if not name:
        raise WsssError(f"{path}: an <object> has no <name>", "correct it")
    texts = [(node.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError as error:
        shown = ", ".join(f"{c} {t or 'missing'}" for c, t in zip(CORNERS, texts, strict=True))
        raise WsssError(f"{path}: the box of '{name}' is not four numbers ({shown})", "correct it") from error
    return Thing(name, (xmin - 1, ymin - 1, xmax, ymax))


def _size(root: Element) -> tuple[int, int] | None:
    """None if a side is missing or 0, which tools write for not known."""
    try:
        width, height = (float(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
    except ValueError:
        return None
    return (int(width), int(height)) if math.isfinite(width * height) and width * height > 0 else None
