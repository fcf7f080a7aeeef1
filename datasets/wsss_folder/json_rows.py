"""Rows of a table from JSON: an object in each line (Hugging Face's metadata.jsonl), a list of objects, or a mapping
from images to their tags.

{"file_name": "a.jpg", "label": "cat"}        {"a.jpg": ["cat", "dog"], "b.jpg": []}
{"file_name": "b.jpg", "objects": {"bbox": [[4, 5, 20, 10]], "category": ["dog"]}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_folder.documents import AGAIN, read_json, read_text

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
    """The entry, or once for each of the objects that one of its keys lists."""
    key, objects = next(((k, found) for k, v in entry.items() if (found := _objects(v)) is not None), ("", None))
    rest = {k: v for k, v in entry.items() if k != key}
    yield from [rest] if not objects else ({**rest, **one} for one in objects)


def _objects(value: Any) -> Sequence[Mapping[str, Any]] | None:
    """A list of objects, or one object of lists that go together; None for anything else."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return value
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        counts = {len(v) for v in value.values()}
        return (
            [dict(zip(value, parts, strict=True)) for parts in zip(*value.values(), strict=True)]
            if len(counts) == 1
            else None
        )
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
