"""Boxes, outlines and tags from COCO JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.record import Corners, Record, Source, Thing, around
from wsss_folder.run_lengths import Runs, read_runs

KEYS = ("images", "annotations", "categories")


def read_coco(path: Path) -> Source:
    """One record per entry of "images"; an image without annotations has no tags.  Classes in the order of their ids.

    Raises WsssError naming the file and the entry: truncated, a key missing, an id that nothing has.
    """
    content = read_json(path)
    missing = [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        raise WsssError(f'{path} is no COCO JSON: it has no list "{missing[0]}"', "give an instances JSON with --coco")
    names = {_get(c, "id", path, "categories", n): str(_get(c, "name", path, "categories", n)).strip()
             for n, c in enumerate(content["categories"])}  # fmt: skip
    sizes = {_get(i, "id", path, "images", n): i for n, i in enumerate(content["images"])}
    things: dict[Any, list[Thing]] = {id: [] for id in sizes}
    tags: dict[Any, list[str]] = {id: [] for id in sizes}
    problems: dict[Any, WsssError] = {}
    for number, annotation in enumerate(content["annotations"]):
        where = (
            f"{path}, annotation {annotation.get('id', f'number {number}') if isinstance(annotation, dict) else number}"
        )
        image = _known(annotation, "image_id", sizes, where)
        name = names[_known(annotation, "category_id", names, where)]
        tags[image].append(name)
        try:
            thing = _thing(annotation, name, where)
            things[image] += [thing] if thing else []
        except WsssError as error:
            problems.setdefault(image, error)
    records = [
        Record(
            (str(_get(image, "file_name", path, "images", n)),),
            f"{path}, image {id}",
            tuple(dict.fromkeys(tags[id])),
            tuple(things[id]),
            _size(image),
            problems.get(id),
        )
        for n, (id, image) in enumerate(sizes.items())
    ]
    used = {annotation["category_id"] for annotation in content["annotations"]}
    parents = _parents(content["categories"]) - used
    ids = sorted(names.keys() - parents, key=lambda id: (not isinstance(id, int), id))
    ordered = tuple(dict.fromkeys(names[id] for id in ids))
    return Source("COCO JSON", path, records, ordered)


def _parents(categories: list[dict[str, Any]]) -> set[Any]:
    """Ids of the categories that others name as their supercategory: Roboflow's root, which is no class."""
    above = {str(c.get("supercategory")): c["id"] for c in categories}  # of the last category below each
    return {c["id"] for c in categories if above.get(str(c["name"]), c["id"]) != c["id"]}


def _thing(annotation: dict[str, Any], name: str, where: str) -> Thing | None:
    """The object with its box, that of the outline if it has none of its own; None if it has neither."""
    outline = annotation.get("segmentation") or []
    try:
        polygons = tuple(tuple(map(float, p)) for p in outline) if isinstance(outline, list) else ()
        rle = read_runs(outline) if isinstance(outline, dict) else None
        corners = _corners(annotation.get("bbox"), polygons, rle)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise WsssError(f"{where}: its bbox or segmentation cannot be read: {error}", "correct it") from error
    if corners is None:
        return None
    return Thing(name, corners, polygons=polygons, rle=rle, crowd=bool(annotation.get("iscrowd")))


def _corners(bbox: Any, polygons: tuple[tuple[float, ...], ...], rle: Runs | None) -> Corners | None:
    if bbox:
        if len(bbox) != 4:
            raise ValueError(f"bbox {bbox} is not x, y, width, height")
        x, y, width, height = map(float, bbox)
    elif rle:
        inside = rle.pixels()  # (H, W)
        ys, xs = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)
    elif polygons:
        return around(tuple(x for p in polygons for x in p[::2]), tuple(y for p in polygons for y in p[1::2]))
    else:
        return None
    return x, y, x + width, y + height


def _get(entry: Any, key: str, path: Path, part: str, number: int) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get(key), int | str):
        raise WsssError(f'{path}: {part}[{number}] has no "{key}"', "export it again, or add the key")
    return entry[key]


def _known(annotation: Any, key: str, among: dict[Any, Any], where: str) -> Any:
    value = annotation.get(key) if isinstance(annotation, dict) else None
    if not isinstance(value, int | str) or value not in among:
        part = {"image_id": "images", "category_id": "categories"}[key]
        raise WsssError(f'{where}: "{key}" is {value!r}, which is not in "{part}"', "correct or remove it")
    return value


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) and width and height else None
