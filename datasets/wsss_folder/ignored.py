"""What is annotated as "ignore": pixels that do not count, no class.  As a tag it is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from wsss_folder.mask_values import IGNORE, is_ignored
from wsss_folder.record import Record, Source, Thing
from wsss_folder.shapes import box, flat

MARKED = "marked as ignored"  # why an image has no label


def mark_ignored(source: Source, classes: Collection[str] = ()) -> Source:
    """The source with all that is called ignore, void, ... under the one name IGNORE, counted in a warning.

    classes  those of --classes: one that is named there is a class
    """
    told: Counter[str] = Counter()
    records = [_record(record, classes, told) for record in source.records]
    names = tuple(name for name in source.classes if not _is(name, classes))
    return replace(source, records=records, classes=names, warnings=(*source.warnings, *_said(source, told)))


def _is(name: str, classes: Collection[str]) -> bool:
    return is_ignored(name) and name not in classes


def _record(record: Record, classes: Collection[str], told: Counter[str]) -> Record:
    names = [*record.tags, *(thing.name for thing in record.things)]
    marked = [name for name in names if _is(name, classes)]
    if not marked:
        return record
    told.update(marked)
    things = tuple(_thing(thing) if _is(thing.name, classes) else thing for thing in record.things)
    tags = tuple(tag for tag in record.tags if not _is(tag, classes))
    nothing = not (things or tags or record.shapeless or record.unlabelled)
    return replace(record, things=things, tags=tags, unlabelled=MARKED if nothing else record.unlabelled)


def _thing(thing: Thing) -> Thing:
    """A box is a region of that form."""
    outlined = thing.polygons or thing.rle
    return replace(thing, name=IGNORE, polygons=thing.polygons if outlined else (flat(box(*thing.corners)),))


def _said(source: Source, told: Counter[str]) -> Iterator[str]:
    if told:
        shown = ", ".join(f"{count} '{name}'" for name, count in sorted(told.items()))
        what = f"{source.place.name}: {shown} taken as ignored: 255 in masks, no box and no tag"
        yield f"{what} (a class of that name must be named in --classes)"
