"""A mask from the outlines of a source: COCO's polygons and run-length codes, and polygons of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from wsss_cli.data.label_format import Labels, label_format
from wsss_cli.data.segmentation import require_near
from wsss_cli.errors import WsssError
from wsss_folder.mask_values import IGNORE, is_background
from wsss_folder.record import Record, Thing, why_unlabelled
from wsss_folder.run_lengths import read_runs


def drawable(records: Sequence[Record]) -> bool:
    """Whether every object and every tag of the image has an outline; an image annotated as empty has them all."""
    if why_unlabelled(records) or any(record.shapeless for record in records):
        return False
    things = [thing for record in records for thing in record.things]
    tags = {tag for record in records for tag in record.tags}
    return all(thing.polygons or thing.rle for thing in things) and tags <= {thing.name for thing in things}


def draw(records: Sequence[Record], ids: Mapping[str, int], width: int, height: int) -> Labels:
    """Label map (height, width) of the objects, of one z the later on top; crowds below all, ignored or left out.

    ids  class id of each name.  Raises WsssError for an outline of fewer than three points, or of another size.
    """
    form = label_format(len(ids))
    labels = np.zeros((height, width), np.dtype(form.dtype))
    things = [(record, thing) for record in records for thing in record.things if thing.crowd != "skip"]
    for record, thing in sorted(things, key=lambda pair: (not pair[1].crowd, pair[1].z)):
        labels[_region(thing, record, width, height)] = _value(thing, ids, form.ignore)
    return labels


def _value(thing: Thing, ids: Mapping[str, int], ignore: int) -> int:
    if thing.crowd or thing.name == IGNORE:
        return ignore
    return 0 if is_background(thing.name) else ids[thing.name]


def _region(thing: Thing, record: Record, width: int, height: int) -> NDArray[np.bool_]:
    """(height, width) pixels of one object, as pycocotools draws them."""
    inside = np.zeros((height, width), bool)
    if thing.rle is not None:
        if (thing.rle.height, thing.rle.width) != (height, width):
            raise WsssError(
                f"{record.where}: a run-length code is of {thing.rle.width} x {thing.rle.height}, "
                f"but the image is {width} x {height}",
                "correct it",
            )
        inside |= thing.rle.pixels()
    if not thing.polygons:
        return inside
    scale = np.array((width, height) if thing.relative else (1, 1))
    outlines = [np.asarray(p, float) for p in thing.polygons]
    if any(len(p) < 6 or len(p) % 2 or not np.isfinite(p).all() for p in outlines):
        raise WsssError(f"{record.where}: an outline of '{thing.name}' is not three points or more", "correct it")
    flat = [(p.reshape(-1, 2) * scale).ravel().tolist() for p in outlines]  # (n, 2) x, y -> (2n,)
    try:
        for points in flat:
            require_near(points, width, height)
    except ValueError as error:
        raise WsssError(f"{record.where}: '{thing.name}': {error}", "correct it") from error
    return inside | read_runs(coco.merge(coco.frPyObjects(flat, height, width))).pixels()
