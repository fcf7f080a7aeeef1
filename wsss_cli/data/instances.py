"""The instance labels of a run: one COCO file, put together from those of each image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from wsss_cli.data.long_side import nearest
from wsss_cli.data.prepared import INSTANCES, Box, Sample
from wsss_cli.files import write_text
from wsss_cli.sound import read_text


def run_length_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's run-length code of a mask (H, W), as JSON holds it."""
    encoded = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")}


def write_rows(folder: Path, sample: Sample, rows: Sequence[dict[str, Any]]) -> None:
    """Keep one image's annotations, without `id` and `image_id`, until `merge_rows`."""
    write_text(folder / f"{sample.id}.json", json.dumps(list(rows)), flushed=False)


def merge_rows(folder: Path, samples: Sequence[Sample], classes: Sequence[str], write: bool = True) -> int:
    """`folder`/instances.json of what `write_rows` kept of these images, at their photos' own size.

    Returns the number of annotations.

    write  only count: the file is rank 0's to write
    """
    found = [at_full_size(json.loads(read_text(folder / f"{s.id}.json")), s) for s in samples]
    if write:
        write_text(folder / INSTANCES, json.dumps(coco_file(samples, found, classes)))
    return sum(len(rows) for rows in found)


def at_full_size(rows: Sequence[dict[str, Any]], sample: Sample) -> list[dict[str, Any]]:
    """Annotations of the image that stages see, on the whole photo: masks by nearest, boxes of the data set exactly."""
    whole = sample.original
    if whole is None:
        return list(rows)
    x, y = whole.width / sample.width, whole.height / sample.height
    boxes = {(box.label, *_bbox(box)): _bbox(full) for box, full in zip(sample.boxes, whole.boxes)}

    def enlarged(row: dict[str, Any]) -> dict[str, Any]:
        shape = row["segmentation"]
        if isinstance(shape, dict):
            mask = rle.decode(shape).astype(bool)
            shape = run_length_mask(nearest(mask, (whole.height, whole.width)))
        else:
            shape = [[value * (y if i % 2 else x) for i, value in enumerate(outline)] for outline in shape]
        scaled = [side * factor for side, factor in zip(row["bbox"], (x, y, x, y))]
        bbox = boxes.get((row["category_id"], *row["bbox"]), scaled)
        return {**row, "segmentation": shape, "area": round(row["area"] * x * y), "bbox": list(bbox)}

    return [enlarged(row) for row in rows]


def _bbox(box: Box) -> tuple[int, int, int, int]:
    return box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0


def coco_file(
    samples: Sequence[Sample], annotations: Sequence[Sequence[dict[str, Any]]], classes: Sequence[str]
) -> dict[str, Any]:
    """The whole COCO file: image ids by order from 1, category ids the class ids 1..C.

    Each image also says which sample of the data set it is.
    """
    numbered = [{**a, "image_id": i} for i, mine in enumerate(annotations, 1) for a in mine]
    return {
        "images": [
            {"id": i, "file_name": s.image.name, "height": s.height, "width": s.width, "sample": s.id}
            for i, s in enumerate((s.full for s in samples), 1)
        ],
        "categories": [{"id": c, "name": name, "supercategory": "none"} for c, name in enumerate(classes, 1)],
        "annotations": [{"id": j, **a} for j, a in enumerate(numbered, 1)],
    }
