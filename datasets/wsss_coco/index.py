"""Where in an instances JSON each image and its annotations stand: a few bytes for each, however large the file."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.coco_entries import is_crowd, note_name, whole
from wsss_cli.data.segmentation import short_parts
from wsss_cli.errors import WsssError
from wsss_coco.stream import Element, elements, read_spans

Ints = NDArray[np.int64]
KEYS = ("categories", "images", "annotations")
GIVE = "give an instances JSON as COCO's: categories, images, annotations"
MEND = "correct the file"


@dataclass(frozen=True)
class Index:
    """The images of one JSON in the order of their ids, each with its annotations in the order of the file.

    digest      of the file's bytes
    categories  id -> name
    images      (n, 2) first byte and the one after the last
    first       (n + 1,) annotations first[i] .. first[i + 1] - 1 are those of image i
    annotations (m, 2) bytes, as images
    crowds      annotations that are marked as crowds
    short       parts of outlines that have fewer than three points
    """

    path: Path
    digest: str
    categories: dict[int, str]
    images: Ints
    first: Ints
    annotations: Ints
    crowds: int = 0
    short: int = 0

    def __len__(self) -> int:
        return len(self.images)

    @property
    def tagged(self) -> NDArray[np.bool_]:
        """(n,) images with an annotation."""
        return np.diff(self.first) > 0

    def spans(self, i: int) -> list[tuple[int, int]]:
        """The bytes of image i and of its annotations."""
        rows = [*self.images[i : i + 1].tolist(), *self.annotations[self.first[i] : self.first[i + 1]].tolist()]
        return [(start, stop) for start, stop in rows]


def read_index(path: Path) -> Index:
    """Scan an instances JSON once.

    Raises WsssError naming the file: damaged, a list missing, an id that is no number or given twice, two categories
    of one name, an annotation of an unknown image or category.
    """
    digest, rows = hashlib.blake2b(digest_size=16), {key: _Rows() for key in KEYS}
    for element in elements(path, digest.update):
        if element.key in rows:
            rows[element.key].add(element, path)
    for key in KEYS:
        if not len(rows[key].starts):
            raise WsssError(f"{path} has no {key}", GIVE)
    categories = _categories(path, rows["categories"])
    ids, order = _sorted(path, rows["images"])
    owners, order_of_annotations = _owners(path, rows["annotations"], ids, categories)
    return Index(
        path=path,
        digest=digest.hexdigest(),
        categories=categories,
        images=rows["images"].spans()[order],
        first=np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(ids)))]),
        annotations=rows["annotations"].spans()[order_of_annotations],
        crowds=rows["annotations"].crowds,
        short=rows["annotations"].short,
    )


@dataclass
class _Rows:
    """One list of the file: its elements' bytes, and the ids that tie them together (8 bytes each)."""

    starts: array[int] = field(default_factory=lambda: array("q"))
    stops: array[int] = field(default_factory=lambda: array("q"))
    ids: array[int] = field(default_factory=lambda: array("q"))  # annotations: image_id
    categories: array[int] = field(default_factory=lambda: array("q"))
    crowds: int = 0
    short: int = 0

    def add(self, element: Element, path: Path) -> None:
        if not element.listed:
            raise WsssError(f"{path}: '{element.key}' is no list", GIVE)
        self.starts.append(element.start)
        self.stops.append(element.stop)
        if element.key == "annotations":
            _require_object(element, path)
            self.crowds += is_crowd(element.value)
            self.short += short_parts(element.value.get("segmentation"))
            self.ids.append(_number(element, "image_id", path))
            self.categories.append(_number(element, "category_id", path))
        else:
            self.ids.append(_number(element, "id", path))

    def spans(self) -> Ints:
        return np.stack([_ints(self.starts), _ints(self.stops)], axis=1)  # (n, 2)


def _ints(values: array[int]) -> Ints:
    return np.frombuffer(values, np.int64)


def _number(element: Element, key: str, path: Path) -> int:
    value = element.value.get(key) if isinstance(element.value, dict) else None
    number = whole(value)
    if number is not None and abs(number) < 2**63:
        return number
    where = f"{path}: {element.key}, byte {element.start}{_id(element.value)}"
    what = "is missing" if value is None else f"is {value!r}, no whole number"
    raise WsssError(f"{where}: '{key}' {what}", "`wsss prepare folder --coco` takes words" if value else MEND)


def _require_object(element: Element, path: Path) -> None:
    """Raises WsssError for annotations that are of whole images."""
    entry = element.value if isinstance(element.value, dict) else {}
    if "segments_info" in entry:
        raise WsssError(f"{path} is a panoptic JSON: its objects are in PNGs", GIVE)
    if "caption" in entry and "category_id" not in entry:
        raise WsssError(f"{path} is a JSON of captions, which name no class", GIVE)


def _id(value: Any) -> str:
    known = value.get("id") if isinstance(value, dict) else None
    return "" if known is None else f", id {known}"


def _categories(path: Path, rows: _Rows) -> dict[int, str]:
    names: dict[int, str] = {}
    ids: dict[str, int] = {}
    for category in read_spans(path, list(zip(rows.starts, rows.stops, strict=True))):
        id, name = whole(category["id"]), category.get("name")
        assert id is not None, "as when its bytes were found"
        if not isinstance(name, str) or not name.strip():
            raise WsssError(f"{path}: category {id} has no name", MEND)
        note_name(names, id, name, "categories", path)
        if ids.setdefault(name, id) != id:
            what = f"{path}: categories {ids[name]} and {id} are both called '{name}'"
            raise WsssError(what, "give each its own name")
    return dict(sorted(names.items()))


def _sorted(path: Path, rows: _Rows) -> tuple[Ints, Ints]:
    """The ids of the images in order, and the order, in which an image that is listed twice stands once."""
    order = np.argsort(_ints(rows.ids), kind="stable")
    ids = _ints(rows.ids)[order]
    twice = np.flatnonzero(ids[1:] == ids[:-1])
    for k in twice.tolist():
        first, second = (one.get("file_name") for one in read_spans(path, rows.spans()[order[k : k + 2]].tolist()))
        if first != second:
            what = f"{path}: two images have the id {ids[k]}: '{first}' and '{second}'"
            raise WsssError(what, "give each its own id")
    return np.delete(ids, twice + 1), np.delete(order, twice + 1)


def _owners(path: Path, rows: _Rows, ids: Ints, categories: dict[int, str]) -> tuple[Ints, Ints]:
    """For each annotation the place of its image among `ids`, and the order that brings those of an image together."""
    images, classes = _ints(rows.ids), _ints(rows.categories)
    owners = np.searchsorted(ids, images).clip(max=len(ids) - 1)
    for wrong, what, which in (
        (ids[owners] != images, "image", images),
        (~np.isin(classes, list(categories)), "category", classes),
    ):
        if wrong.any():
            k = int(wrong.argmax())
            annotation = read_spans(path, [(rows.starts[k], rows.stops[k])])[0]
            more = int(wrong.sum()) - 1
            others = f" (and {more} more such)" if more else ""
            name = f"annotation {annotation.get('id')} is of {what} {which[k]}"
            raise WsssError(f"{path}: {name}, which the file does not list{others}", f"remove it, or list its {what}")
    return owners, np.argsort(owners, kind="stable")
