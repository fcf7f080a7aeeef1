"""COCO's instances JSON: each connected piece of a class is an annotation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from wsss_cli.console import Tick
from wsss_cli.data.prepared import Sample
from wsss_cli.export.pieces import Piece, run_lengths
from wsss_cli.export.source import Form, Source


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """instances_<split>.json; image ids by order from 1, category ids the class ids 1..C, written as it comes."""

    def annotations(sample: Sample) -> list[dict[str, Any]]:
        return [annotation(piece, sample.width, sample.height, form) for piece in source.pieces(sample, form)]

    images = [
        {"id": i, "file_name": source.image_name(s), "width": s.width, "height": s.height}
        for i, s in enumerate(source.samples, 1)
    ]
    head = {
        "info": {"description": source.title},
        "licenses": [],
        "images": images,
        "categories": [{"id": c, "name": n, "supercategory": ""} for c, n in enumerate(source.data.info.classes, 1)],
    }
    number = 0
    with (folder / f"instances_{source.split}.json").open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": [')
        for image, (_, rows) in enumerate(source.each(annotations, tick), 1):
            for row in rows:
                number += 1
                file.write(",\n" if number > 1 else "\n")
                file.write(json.dumps({"id": number, "image_id": image, **row}))
        file.write("\n]}\n")


def annotation(piece: Piece, width: int, height: int, form: Form) -> dict[str, Any]:
    """One piece of an image of that size, but for its ids."""
    x0, y0, x1, y1 = piece.box
    return {
        "category_id": piece.label,
        "segmentation": compressed(piece, width, height) if form.shape == "rle" else [_flat(piece, form)],
        "area": piece.area,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "iscrowd": 0,
    }


def compressed(piece: Piece, width: int, height: int) -> dict[str, Any]:
    """COCO's run-length code of a piece: runs down the columns of the whole image."""
    x0, y0, x1, y1 = piece.box
    strip = np.zeros((x1 - x0, height), bool)  # the columns that it reaches
    strip[:, y0:y1] = piece.mask.T
    runs = run_lengths(strip.ravel())
    runs[0] += x0 * height
    if len(runs) % 2 == 0:  # it ends with the last pixel of a column
        runs.append(0)
    runs[-1] += (width - x1) * height
    coded = rle.frPyObjects({"size": [height, width], "counts": runs if runs[-1] else runs[:-1]}, height, width)
    return {"size": [height, width], "counts": coded["counts"].decode("ascii")}


def _flat(piece: Piece, form: Form) -> list[int] | list[float]:
    return form.polygon(piece).ravel().tolist()
