"""The instance labels of a run: one COCO file, put together from those of each image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from wsss_cli.data.prepared import INSTANCES, Sample
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
    """`folder`/instances.json of what `write_rows` kept of these images; returns the number of annotations.

    write  only count: the file is rank 0's to write
    """
    found = [json.loads(read_text(folder / f"{s.id}.json")) for s in samples]
    if write:
        write_text(folder / INSTANCES, json.dumps(coco_file(samples, found, classes)))
    return sum(len(rows) for rows in found)


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
            for i, s in enumerate(samples, 1)
        ],
        "categories": [{"id": c, "name": name, "supercategory": "none"} for c, name in enumerate(classes, 1)],
        "annotations": [{"id": j, **a} for j, a in enumerate(numbered, 1)],
    }
