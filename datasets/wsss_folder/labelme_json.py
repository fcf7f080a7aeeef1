"""Outlines, boxes and tags from labelme's JSON: one file per image.

{"shapes": [{"label": "cat", "points": [[x, y], ...], "shape_type": "polygon", "group_id": null, "flags": {}}],
"flags": {}, "imagePath": "a.jpg", "imageData": null, "imageHeight": 30, "imageWidth": 40}; points in pixels.
"""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from wsss_cli.data.coco_entries import whole
from wsss_cli.data.image_files import files_below
from wsss_cli.data.images import opened, require_pixels
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.record import Record, Source, Thing, around
from wsss_folder.run_lengths import runs_of
from wsss_folder.shapes import ellipse, flat, turned

NO_AREA = ("point", "points", "line", "linestrip")
BOXED = ("rectangle", "rotation", "oriented_rectangle")  # the second is AnyLabeling's, the last labelme's since 6
CORRECT = "open it in labelme, correct and save it"


def read_labelme(place: Path) -> Source:
    """One record per .json in a folder and below, or of one file; other JSONs are passed over.

    Flags of images are tags where no file has a shape (a set for classification), else they are left out.
    Raises WsssError if there is none.
    """
    if not place.exists():
        raise WsssError(f"there is no {place}", "give the folder of labelme's .json files with --labelme")
    folder = place.parent if place.is_file() else place
    files = [place] if place.is_file() else list(files_below(place, (".json",)))
    read = [(path, _content(path)) for path in files]
    ours = [(path, content) for path, content in read if isinstance(content, WsssError) or is_labelme(content)]
    if not any(not isinstance(content, WsssError) for _, content in ours):
        problem = next((content for _, content in ours if isinstance(content, WsssError)), None)
        raise problem or WsssError(f"{place} holds no .json of labelme", "give their folder with --labelme")
    shaped = any(isinstance(content, dict) and content["shapes"] for _, content in ours)
    flags = {flag for _, content in ours if isinstance(content, dict) for flag in _flags(content)}
    note = f"flags of images are no tags, since there are shapes: {', '.join(sorted(flags))}"
    records = [_record(path, content, folder, shaped) for path, content in ours]
    return Source("labelme JSON", place, records, notes=(note,) if shaped and flags else ())


def is_labelme(content: Any) -> bool:
    """Whether the content of a JSON is that of labelme."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def _content(path: Path) -> Any:
    try:
        return read_json(path)
    except WsssError as error:
        return error


def _record(path: Path, content: Any, folder: Path, shaped: bool) -> Record:
    below = path.relative_to(folder).with_suffix("").as_posix()
    if isinstance(content, WsssError):
        return Record((below,), str(path), problem=content)
    image = str(content.get("imagePath") or "").replace("\\", "/")
    beside = [(PurePosixPath(below).parent / image).as_posix(), image] if image else []
    record = Record((*beside, below), str(path), size=_size(content))
    try:
        shapes = [shape for shape in content["shapes"] if _kind(shape) not in NO_AREA]
        things = _grouped([(_thing(shape, record.size), shape.get("group_id")) for shape in shapes])
        rest = [_label(shape) for shape in content["shapes"] if _kind(shape) in NO_AREA]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, WsssError) as error:
        return replace(record, problem=WsssError(f"{path}: a shape cannot be read: {error}", CORRECT))
    tags = rest if shaped else _flags(content)
    return replace(record, tags=tuple(dict.fromkeys(tags)), things=things, shapeless=len(rest))


def _flags(content: dict[str, Any]) -> list[str]:
    flags = content.get("flags")
    return [str(flag).strip() for flag, on in flags.items() if on is True] if isinstance(flags, dict) else []


def _kind(shape: dict[str, Any]) -> str:
    return str(shape.get("shape_type") or "polygon")


def _label(shape: dict[str, Any]) -> str:
    label = str(shape.get("label") or "").strip()
    if not label:
        raise ValueError("it has no label")
    return label


def _thing(shape: dict[str, Any], size: tuple[int, int] | None) -> Thing:
    label, kind = _label(shape), _kind(shape)
    points = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "mask":
        return _mask(label, points, shape["mask"], size)
    if kind == "circle":
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        points = turned((x, y), ellipse(radius, radius), 0)
    elif kind not in ("polygon", *BOXED):
        raise ValueError(f"a shape of the unknown type '{kind}'")
    if kind == "polygon" and len(points) < 3:
        raise ValueError(f"the polygon of '{label}' has {len(points)} points")
    outline = flat(points)
    return Thing(label, around(outline[::2], outline[1::2]), polygons=() if kind in BOXED else (outline,))


def _mask(label: str, points: list[tuple[float, float]], coded: str, size: tuple[int, int] | None) -> Thing:
    """A mask: a PNG of the pixels in the box whose first and last pixel are the two points."""
    if size is None:
        raise ValueError("a mask needs imageWidth and imageHeight")
    left, top = (round(value) for value in points[0])
    require_pixels(*size)
    with opened(base64.b64decode(coded), Path(f"the mask of '{label}'")) as image:
        if image.width > size[0] or image.height > size[1]:
            raise ValueError(f"the mask of '{label}' is larger than the image of {size[0]} x {size[1]}")
        inside = np.asarray(image.convert("L")) > 0  # (h, w)
    canvas = np.zeros((size[1], size[0]), bool)
    part = canvas[top : top + inside.shape[0], left : left + inside.shape[1]]
    if min(left, top) < 0 or part.shape != inside.shape:
        raise ValueError(f"the mask of '{label}' goes beyond the image of {size[0]} x {size[1]}")
    part[:] = inside
    runs = runs_of(canvas)
    return Thing(label, runs.corners(), rle=runs)


def _grouped(things: list[tuple[Thing, Any]]) -> tuple[Thing, ...]:
    """Polygons of one label and group are parts of one object, which stands where its first part does."""
    whole_ones: dict[Any, Thing] = {}
    for number, (thing, group) in enumerate(things):
        key = number if group is None or not thing.polygons else (thing.name, group)
        first = whole_ones.get(key)
        whole_ones[key] = thing if first is None else _joined(first, thing)
    return tuple(whole_ones.values())


def _joined(a: Thing, b: Thing) -> Thing:
    corners = around((*a.corners[::2], *b.corners[::2]), (*a.corners[1::2], *b.corners[1::2]))
    return replace(a, corners=corners, polygons=a.polygons + b.polygons)


def _size(content: dict[str, Any]) -> tuple[int, int] | None:
    width, height = whole(content.get("imageWidth")), whole(content.get("imageHeight"))
    return (width, height) if width and height else None
