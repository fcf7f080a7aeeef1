"""Instance labels: of each box the pixels of its class within it, as COCO annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_bcm.boxes import area, by_area, inside
from wsss_bcm.config import Instances
from wsss_bcm.polygons import polygons
from wsss_cli.data.instances import run_length_mask
from wsss_cli.data.label_format import Labels
from wsss_cli.data.prepared import Box


def box_annotations(
    labels: Labels, boxes: Sequence[Box], config: Instances, score: NDArray[np.float32] | None = None
) -> list[dict[str, Any]]:
    """One annotation for each box, in their order; a box without a pixel of its class gets the whole box as mask.

    labels (H, W) ids; score (H, W) of the class of each pixel, whose mean within the mask is the annotation's.
    """
    owner = _owners(labels, boxes) if config.overlap == "smaller" else None
    rows = []
    for number, box in enumerate(boxes, 1):
        mask = np.zeros(labels.shape, bool)
        at = inside(box)
        mask[at] = labels[at] == box.label
        if owner is not None:
            mask &= owner == number
        found = polygons(mask, config.tolerance)
        if not found:
            mask[at] = True
            found = polygons(mask, config.tolerance)
        if found:
            rows.append(_annotation(box, mask, found, config, score))
    return rows


def _annotation(
    box: Box, mask: NDArray[np.bool_], found: list[list[float]], config: Instances, score: NDArray[np.float32] | None
) -> dict[str, Any]:
    return {
        "category_id": box.label,
        "segmentation": run_length_mask(mask) if config.shape == "rle" else found,
        "area": area(box) if config.area == "box" else int(mask.sum()),
        "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
        "iscrowd": 0,
        "ignore": 0,
        "score": 1.0 if score is None else round(float(score[mask].mean()), 4),
    }


def _owners(labels: Labels, boxes: Sequence[Box]) -> NDArray[np.int64]:
    """The number from 1 of the smallest box of its class over each pixel, 0 where there is none: (H, W)."""
    owner = np.zeros(labels.shape, np.int64)
    numbers = {id(box): number for number, box in enumerate(boxes, 1)}
    for box in by_area(boxes):
        at = inside(box)
        owner[at][labels[at] == box.label] = numbers[id(box)]
    return owner
