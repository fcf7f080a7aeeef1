"""Objects without area: COCO's own train2017 holds two.  They cost the object, not the image."""

from __future__ import annotations

from dataclasses import replace

from wsss_folder.record import Source, Thing


def drop_empty(source: Source) -> Source:
    """The source without the objects whose box has no width or no height, which a warning counts."""
    empty = [thing for record in source.records for thing in record.things if _is_empty(thing)]
    if not empty:
        return source
    records = [replace(r, things=tuple(t for t in r.things if not _is_empty(t))) for r in source.records]
    warning = f"{source.place.name}: {len(empty)} object(s) have a box without area and are left out"
    return replace(source, records=records, warnings=(*source.warnings, warning))


def _is_empty(thing: Thing) -> bool:
    left, top, right, bottom = thing.corners
    return left == right or top == bottom
