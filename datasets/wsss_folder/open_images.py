"""Names of Open Images' classes, whose tables call them /m/01g317, from the list that comes with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wsss_folder.documents import read_text
from wsss_folder.record import Record, Source

CODE = re.compile(r"/[mg]/\w+")
LISTS = "*class-descriptions*.csv"


def with_names(source: Source) -> Source:
    """The source with the classes' names, if a list beside its file has them all; else as it is."""
    codes = {name for r in source.records for name in (*r.tags, *(t.name for t in r.things)) if CODE.fullmatch(name)}
    if not codes:
        return source
    lists = {path: _names(path) for path in sorted(source.place.parent.glob(LISTS))}
    path = next((path for path, names in lists.items() if codes <= names.keys()), None)
    if path is None:
        return source
    names = lists[path]
    records = [_renamed(record, names) for record in source.records]
    classes = tuple(names.get(name, name) for name in source.classes)
    return replace(
        source, records=records, classes=classes, notes=(*source.notes, f"names of classes from {path.name}")
    )


def _names(path: Path) -> dict[str, str]:
    rows = csv.reader(read_text(path).splitlines())
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2 and row[1].strip()}


def _renamed(record: Record, names: Mapping[str, str]) -> Record:
    things = tuple(replace(thing, name=names.get(thing.name, thing.name)) for thing in record.things)
    return replace(record, tags=tuple(names.get(tag, tag) for tag in record.tags), things=things)
