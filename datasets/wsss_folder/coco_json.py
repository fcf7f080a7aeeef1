"""Boxes, outlines and tags from COCO JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_cli.data.coco_entries import Crowd, crowd_choice, crowd_warning, is_crowd, note_name, plain_id, whole
from wsss_cli.data.segmentation import outline_of, short_parts, short_warning
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.foreign import what_annotations
from wsss_folder.record import Corners, Record, Source, Thing, around
from wsss_folder.run_lengths import Runs, read_runs, united

KEYS = ("images", "annotations", "categories")
NAMES = ("file_name", "coco_url", "path")  # of an image, the first that there is
Id = int | str


def read_coco(path: Path, crowd: Crowd = "auto") -> Source:
    """One record per entry of "images"; one without annotations is unlabelled.  Classes in the order of their ids.

    crowd  what becomes of groups of objects; auto: they are ignored, unless every object is marked as one
    Raises WsssError naming the file and the entry: truncated, a key missing, an id given twice or that nothing has.
    """
    content = _require_instances(read_json(path), path)
    names = _categories(content["categories"], path)
    images = _images(content["images"], path)
    annotations: list[Any] = content["annotations"]
    crowds = sum(map(is_crowd, annotations))
    chosen = crowd_choice(crowd, crowds, len(annotations), "ignore")
    told: dict[Id, _Told] = {id: _Told() for id in images}
    for number, annotation in enumerate(annotations):
        where = f"{path}, annotation {_shown(annotation, number)}"
        image = told[_known(annotation, "image_id", images, where)]
        image.add(annotation, names[_known(annotation, "category_id", names, where)], where, chosen)
    records = [told[id].record(image, f"{path}, image {image['id']}") for id, image in images.items()]
    used = {names[plain_id(annotation["category_id"])] for annotation in annotations}
    roots = _parents(content["categories"]) - used
    ordered = sorted((id for id in names if names[id] not in roots), key=lambda id: (not isinstance(id, int), id))
    short = sum(short_parts(annotation.get("segmentation")) for annotation in annotations)
    warnings = (crowd_warning(path, crowds, len(annotations), crowd, chosen), short_warning(path.name, short))
    classes = tuple(dict.fromkeys(names[id] for id in ordered))
    return Source("COCO JSON", path, records, classes, warnings=tuple(filter(None, warnings)))


class _Told:
    """What the annotations of one image say."""

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self.shapeless: list[str] = []
        self.problem: WsssError | None = None

    def add(self, annotation: Mapping[str, Any], name: str, where: str, crowd: Crowd) -> None:
        try:
            thing = _thing(annotation, name, crowd)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
            what = f"{where}: its bbox or segmentation cannot be read: {error}"
            self.problem = self.problem or WsssError(what, "correct it")
            return
        if thing is None:
            self.shapeless.append(name)
        else:
            self.things.append(thing)

    def record(self, image: Mapping[str, Any], where: str) -> Record:
        names = tuple(str(image[key]) for key in NAMES if isinstance(image.get(key), str | int))
        nothing = not (self.things or self.shapeless or self.problem)
        return Record(
            names[:1],
            where,
            tags=tuple(dict.fromkeys(self.shapeless)),
            things=tuple(self.things),
            size=_size(image),
            problem=self.problem,
            shapeless=len(self.shapeless),
            unlabelled="without an annotation" if nothing else "",
        )


def _parents(categories: list[dict[str, Any]]) -> set[str]:
    """Names that other categories have as their supercategory: Roboflow's root, which is no class."""
    return {str(c["supercategory"]) for c in categories if c.get("supercategory") not in (None, c.get("name"))}


def _require_instances(content: Any, path: Path) -> dict[str, Any]:
    """The content, if it lists objects.  Raises WsssError telling what else it is."""
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict) and {"image_id", "category_id"} <= first.keys():
        raise WsssError(f"{path} is a list of COCO results, not annotations", "give the instances JSON with --coco")
    missing = [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if not missing:
        _require_kind(content["annotations"], path)
        return dict(content)
    if missing == ["annotations"] and "annotations" not in content:
        raise WsssError(f'{path} has images but no list "annotations", as files of test sets', "give one with objects")
    other = what_annotations(path)
    instead = f"it holds {other}" if other else f'it has no list "{missing[0]}"'
    raise WsssError(f"{path} is no COCO JSON: {instead}", "give an instances JSON with --coco")


def _require_kind(annotations: list[Any], path: Path) -> None:
    first = annotations[0] if annotations and isinstance(annotations[0], dict) else {}
    if "segments_info" in first:
        raise WsssError(f"{path} is a panoptic JSON: its objects are in PNGs", "give an instances JSON with --coco")
    if "caption" in first and "category_id" not in first:
        raise WsssError(f"{path} is a JSON of captions, which name no class", "give an instances JSON with --coco")


def _categories(entries: list[Any], path: Path) -> dict[Id, str]:
    """Names by id; one listed twice alike is one.  Raises WsssError if an id has two names."""
    names: dict[Id, str] = {}
    for number, entry in enumerate(entries):
        id, name = _id(entry, path, "categories", number), str(_get(entry, "name", path, "categories", number)).strip()
        if not name:
            raise WsssError(f"{path}: category {id} has no name", "give it one")
        note_name(names, id, name, "categories", path)
    return names


def _images(entries: list[Any], path: Path) -> dict[Id, dict[str, Any]]:
    """Entries by id; one listed twice is one.  Raises WsssError for two of one id, or an image without a name."""
    images: dict[Id, dict[str, Any]] = {}
    names: dict[Id, Any] = {}
    for number, entry in enumerate(entries):
        id = _id(entry, path, "images", number)
        key = next((key for key in NAMES if isinstance(entry.get(key), str | int)), NAMES[0])
        note_name(names, id, _get(entry, key, path, "images", number), "images", path)
        images.setdefault(id, entry)
    return images


def _thing(annotation: Mapping[str, Any], name: str, crowd: Crowd) -> Thing | None:
    """The object with its box, that of the outline if it has none with an area of its own; None if it has neither."""
    outline = outline_of(annotation.get("segmentation"))
    parts = tuple(tuple(map(float, part)) for part in outline.polygons)
    rle = united([read_runs(coded) for coded in outline.runs])
    corners = _box(annotation.get("bbox"))
    if corners is None or corners[0] == corners[2] or corners[1] == corners[3]:
        corners = _outer(parts, rle) or corners
    if corners is None:
        return None
    group = crowd if is_crowd(annotation) and crowd in ("ignore", "skip") else ""
    return Thing(name, corners, polygons=parts, rle=rle, crowd=group)


def _box(bbox: Any) -> Corners | None:
    if not bbox:
        return None
    if isinstance(bbox, str):
        bbox = json.loads(bbox)
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise ValueError(f"bbox {bbox} is not x, y, width, height")
    x, y, width, height = map(float, bbox)
    return x, y, x + width, y + height


def _outer(parts: tuple[tuple[float, ...], ...], rle: Runs | None) -> Corners | None:
    boxes = [around(part[::2], part[1::2]) for part in parts] + ([rle.corners()] if rle else [])
    xs, ys = (tuple(v for b in boxes for v in b[start::2]) for start in (0, 1))
    return around(xs, ys) if boxes else None


def _get(entry: Any, key: str, path: Path, part: str, number: int) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get(key), int | float | str):
        raise WsssError(f'{path}: {part}[{number}] has no "{key}"', "export it again, or add the key")
    return entry[key]


def _id(entry: Any, path: Path, part: str, number: int) -> Id:
    return plain_id(_get(entry, "id", path, part, number))


def _known(annotation: Any, key: str, among: Mapping[Id, Any], where: str) -> Id:
    value = annotation.get(key) if isinstance(annotation, dict) else None
    if isinstance(value, int | float | str) and plain_id(value) in among:
        return plain_id(value)
    part = {"image_id": "images", "category_id": "categories"}[key]
    raise WsssError(f'{where}: "{key}" is {value!r}, which is not in "{part}"', "correct or remove it")


def _shown(annotation: Any, number: int) -> str:
    return str(annotation.get("id", f"number {number}") if isinstance(annotation, dict) else number)


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """None if a side is missing or 0, which tools write for not known."""
    width, height = whole(image.get("width")), whole(image.get("height"))
    return (width, height) if width and height else None
