"""Rows of a table from JSON: an object in each line (Hugging Face's metadata.jsonl), a list of objects, or a mapping
from images to their tags.

{"file_name": "a.jpg", "label": "cat"}        {"a.jpg": ["cat", "dog"], "b.jpg": []}
{"file_name": "b.jpg", "objects": {"bbox": [[4, 5, 20, 10]], "category": ["dog"]}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_folder.documents import AGAIN, read_json, read_text

OBJECT = {
    "bbox",
    "box",
    "bounding_box",
    "category",
    "categories",
    "category_id",
    "label",
    "labels",
    "class",
    "class_name",
}
"""Keys of which an object has one at least."""
IMAGE = {"image", "image_path", "image_name", "file_name", "filename", "file", "path", "image_id"}
LINES = (".jsonl", ".ndjson")
"""Endings of files with an object in each line."""


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(number of the line or entry, texts by key) of each row; an entry that lists objects has a row for each of them.

    Raises WsssError: no JSON, or none of these forms.
    """
    entries = list(_lines(path) if path.suffix.lower() in LINES else _entries(path))
    if not entries:
        raise WsssError(f"{path} is empty", 'an entry is {"image": "a.jpg", "tags": ["cat"]}')
    return [(number, {key: _text(v) for key, v in row.items()}) for number, one in entries for row in _flat(one)]


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            try:
                entry = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise WsssError(f"{path}, line {number} is no JSON: {error}", AGAIN) from error
            yield number, _object(entry, f"{path}, line {number}")


def _entries(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    content = read_json(path)
    if isinstance(content, list):
        yield from ((n, _object(entry, f"{path}, entry {n}")) for n, entry in enumerate(content, start=1))
        return
    entries = _object(content, str(path))
    if {"images", "annotations"} <= entries.keys():
        raise WsssError(f"{path} is a COCO JSON", "give it with --coco")
    for number, (image, said) in enumerate(entries.items(), start=1):
        yield number, {"image": image, **(said if isinstance(said, dict) else {"tags": said})}


def _object(entry: Any, where: str) -> Mapping[str, Any]:
    if isinstance(entry, dict):
        return entry
    raise WsssError(f"{where}: {str(entry)[:60]} is no object", 'an entry is {"image": "a.jpg", "tags": ["cat"]}')


def _flat(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entry, or once for each of the objects that one of its keys lists; what names the image is the entry's."""
    listed = {key: found for key, value in entry.items() if (found := _objects(value)) is not None}
    key = max(listed, key=lambda key: len(OBJECT & set(listed[key][0])), default="")
    if not key or not OBJECT & set(listed[key][0]):
        yield entry
        return
    rest = {k: v for k, v in entry.items() if k != key}
    images = {k: v for k, v in rest.items() if k in IMAGE}
    yield from ({**rest, **one, **images} for one in listed[key][1]) if listed[key][1] else [rest]


def _objects(value: Any) -> tuple[tuple[str, ...], list[Mapping[str, Any]]] | None:
    """The keys and each object of a list of objects, or of one object of lists that go together; else None."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return tuple(dict.fromkeys(key for one in value for key in one)), value
    lists = isinstance(value, dict) and all(isinstance(v, list) for v in value.values())
    if not lists or len({len(v) for v in value.values()}) != 1:
        return None
    return tuple(value), [dict(zip(value, part, strict=True)) for part in zip(*value.values(), strict=True)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
