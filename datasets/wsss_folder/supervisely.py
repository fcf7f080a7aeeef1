"""Boxes, outlines, masks and tags of a project of Supervisely: DATASET/img/a.jpg with DATASET/ann/a.jpg.json.

{"size": {"height": 30, "width": 40}, "tags": [{"name": "outdoor"}], "objects": [{"classTitle": "cat", "geometryType":
"polygon", "points": {"exterior": [[x, y], ...], "interior": [...]}}, {..., "geometryType": "bitmap", "bitmap":
{"origin": [x, y], "data": ...}}]}; points are pixels, those of a border included.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wsss_cli.data.coco_entries import whole
from wsss_cli.data.image_files import files_below
from wsss_cli.data.images import opened, require_pixels
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_head, read_json
from wsss_folder.record import Record, Source, Thing
from wsss_folder.run_lengths import runs_of

IMAGES, ANNOTATIONS, META = "img", "ann", "meta.json"
HEAD = 1 << 14
FAR = 1e6  # pixels
LARGEST = 1 << 28  # bytes that a bitmap's PNG may have
AREAS = ("polygon", "rectangle", "bitmap")
CORRECT = "export the project again, as Supervisely's JSON with its images"


def project_of(root: Path) -> Path | None:
    """The project, or the data set in one, whose images lie in root; None if there is none."""
    for folder in (root, root.parent) if root.name == IMAGES else (root,):
        heads = (read_head(path, HEAD) for path in (folder / META, folder.parent / META) if path.is_file())
        if any(re.search(r'"classes"\s*:', head) for head in heads) and next(_files(folder), None):
            return folder
    return None


def read_supervisely(place: Path, root: Path | None = None) -> Source:
    """One record per annotation; tags of images are tags where no image has an object, else they are left out.

    root  the folder of the images: annotations whose images lie elsewhere are passed over
    Raises WsssError if there is none, or no meta.json that names the classes.
    """
    files = [path for path in _files(place) if _is_of(path, root)] if place.is_dir() else []
    if not files:
        what = f"{place} holds no {ANNOTATIONS}/*.json of Supervisely"
        raise WsssError(what, f"give the folder of a project or data set, above {IMAGES}/ and {ANNOTATIONS}/")
    classes = _classes(place)
    read = [(path, _content(path)) for path in files]
    contents = [content for _, content in read if isinstance(content, dict)]
    shaped = any(content["objects"] for content in contents)
    told = sorted({tag for content in contents for tag in _tags(content)})
    records = [_record(path, content, _name(path, place, root), shaped) for path, content in read]
    note = (f"tags of images are no tags, since there are objects: {', '.join(told)}",) if shaped and told else ()
    return Source("Supervisely JSON", place, records, classes, notes=note)


def _is_of(path: Path, root: Path | None) -> bool:
    """Whether the image of an annotation lies in root, or there is no folder beside that it could lie in."""
    images = path.absolute().parent.parent / IMAGES
    return root is None or not images.is_dir() or images.is_relative_to(root) or root.is_relative_to(images)


def _name(path: Path, place: Path, root: Path | None) -> str:
    """What the image of an annotation is called, below root if it lies there."""
    image = path.absolute().parent.parent / IMAGES / path.stem
    inside = root is not None and image.is_relative_to(root)
    return image.relative_to(root if inside and root else place.absolute()).as_posix()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in files_below(folder, (".json",)) if path.parent.name == ANNOTATIONS)


def _classes(place: Path) -> tuple[str, ...]:
    path = next((path for folder in (place, place.parent) if (path := folder / META).is_file()), None)
    if path is None:
        raise WsssError(f"there is no {META} in or above {place}, which names the classes", CORRECT)
    content = read_json(path)
    try:
        return tuple(dict.fromkeys(str(one["title"]) for one in content["classes"]))
    except (TypeError, KeyError) as error:
        raise WsssError(f"{path} names no classes: {error!r}", CORRECT) from error


def _content(path: Path) -> dict[str, Any] | WsssError:
    try:
        content = read_json(path)
    except WsssError as error:
        return error
    if isinstance(content, dict) and isinstance(content.get("objects"), list):
        return content
    return WsssError(f"{path} is no annotation of Supervisely: it lists no objects", CORRECT)


def _record(path: Path, content: dict[str, Any] | WsssError, name: str, shaped: bool) -> Record:
    record = Record((name,), str(path))
    if isinstance(content, WsssError):
        return replace(record, problem=content)
    try:
        size = _size(content)
        kinds = [(str(one.get("geometryType") or one.get("shape")), one) for one in content["objects"]]
        things = tuple(_thing(kind, one, size) for kind, one in kinds if kind in AREAS)
        rest = [str(one["classTitle"]) for kind, one in kinds if kind not in AREAS]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, zlib.error, WsssError) as error:
        return replace(record, problem=WsssError(f"{path}: an object cannot be read: {error}", CORRECT))
    tags = rest if shaped else _tags(content)
    return replace(record, tags=tuple(dict.fromkeys(tags)), things=things, size=size, shapeless=len(rest))


def _tags(content: dict[str, Any]) -> list[str]:
    """Of an image: the name of a tag, or what it says."""
    tags = content.get("tags")
    found = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return [str(tag.get("value") or tag.get("name") or "").strip() for tag in found]


def _size(content: dict[str, Any]) -> tuple[int, int]:
    width, height = whole(content["size"]["width"]), whole(content["size"]["height"])
    if not width or not height:
        raise ValueError(f"its size is {content['size']}")
    require_pixels(width, height)
    return width, height


def _thing(kind: str, one: dict[str, Any], size: tuple[int, int]) -> Thing:
    name = str(one["classTitle"]).strip()
    if kind == "rectangle":
        (xa, ya), (xb, yb) = one["points"]["exterior"]
        corners = float(min(xa, xb)), float(min(ya, yb)), float(max(xa, xb)) + 1, float(max(ya, yb)) + 1
        return Thing(name, corners)
    mask = _bitmap(one["bitmap"], size) if kind == "bitmap" else _polygon(one["points"], size)
    if not mask.any():
        raise ValueError(f"the {kind} of '{name}' has no pixel in the image")
    rle = runs_of(mask)
    return Thing(name, rle.corners(), rle=rle)


def _polygon(points: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) what a polygon covers, its lines included, less what its holes do."""
    whole = _drawn(points["exterior"], size)
    for hole in points.get("interior") or ():
        whole &= ~_drawn(hole, size)
    return whole


def _drawn(ring: list[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) the pixels between the borders of each row, rounded, and those of the lines, as OpenCV's fillPoly."""
    if len(ring) < 3:
        raise ValueError(f"a polygon has {len(ring)} points")
    points = np.array([point[:2] for point in ring], float).round()  # (n, 2)
    if not (np.abs(points) < FAR).all():
        raise ValueError("a polygon has a point that is nowhere near the image")
    points = points.astype(int)
    picture = Image.new("1", size)
    ImageDraw.Draw(picture).line([*map(tuple, points.tolist()), tuple(points[0].tolist())], fill=1)
    found = np.array(picture)
    (xa, ya), (xb, yb) = points.T, np.roll(points, -1, axis=0).T
    for y in range(max(points[:, 1].min(), 0), min(points[:, 1].max(), size[1])):
        crossed = (np.minimum(ya, yb) <= y) & (y < np.maximum(ya, yb))  # (n,)
        share = (y - ya[crossed]) / (yb - ya)[crossed]
        x = np.floor(np.sort(xa[crossed] + share * (xb - xa)[crossed]) + 0.5).astype(int).clip(-1, size[0])
        for left, right in zip(x[::2].tolist(), x[1::2].tolist()):
            found[y, max(left, 0) : right + 1] = True
    return found


def _bitmap(bitmap: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) the opaque pixels of a PNG, or those that are not 0, at its place; what lies outside is cut off."""
    data = zlib.decompressobj().decompress(base64.b64decode(bitmap["data"]), LARGEST)
    with opened(data, Path("bitmap.png")) as image:
        clear = "transparency" in image.info or image.mode in ("LA", "RGBA")
        part = np.asarray(image.convert("RGBA"))[..., 3] > 0 if clear else np.asarray(image.convert("L")) > 0
    x, y = map(int, bitmap["origin"])
    width, height = size
    found = np.zeros((height, width), bool)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + part.shape[1], width), min(y + part.shape[0], height)
    if x0 < x1 and y0 < y1:
        found[y0:y1, x0:x1] = part[y0 - y : y1 - y, x0 - x : x1 - x]
    return found
