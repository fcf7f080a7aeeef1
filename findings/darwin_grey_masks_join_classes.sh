#!/usr/bin/env bash
# darwin-py 3.6.3, the SDK of V7 Darwin: in the grey masks it exports, classes have the values of other classes if there are 16 or more.
# One would expect of semantic_mask_grey that each class has a grey of its own, the one that class_mapping.csv, which is written beside the masks, tells; it
# takes up to 253 classes and refuses more.
# Seen, of a square for each class: with 2 to 15 classes all are right. With 16, the first class has the 239 of the fifteenth where the file tells 15; with 20
# (as in Pascal VOC) 19 greys are there, with 30 27, with 59 46 (13 classes have another's value), with 80 (COCO) 55, with 150 (ADE20K) 63, and with 200 46,
# where 154 classes have another's value. Raster layers go wrong in the same way (30 classes have 28 greys, 80 55). The exports as index and as colours
# are right.
# Of 20 random sets of 16 to 253 classes none is right.
# No warning, and its tracker does not name it. (Numbers are made greys one after another in one image, and a grey that was made is later taken for a number.)
# Who trains with such masks, and reads them with the file, finds pixels of two or more classes under one value, and of others none.
# `wsss prepare folder` does not read V7's annotations.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "darwin-py==3.6.3" "numpy==2.4.6" "pillow==12.3.0" "upolygon==0.2.3" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import csv
import io
import json
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
from darwin.exporter import export_annotations, get_exporter
from PIL import Image

SIDE = 6


def squares(classes):
    """A label map with a square for each class, 16 in a row."""
    labels = np.zeros((SIDE * (classes // 16 + 1), SIDE * 16), np.uint8)
    for k in range(classes):
        y, x = SIDE * (k // 16), SIDE * (k % 16)
        labels[y + 1 : y + 5, x + 1 : x + 5] = k + 1
    return labels


def item(labels, raster):
    """The squares as Darwin's JSON, each a polygon, or all of them a raster layer."""
    height, width = labels.shape
    found, classes = [], int(labels.max())
    for k in range(1, classes + 1):
        one = {"id": f"id{k}", "name": f"class {k:03}", "slot_names": ["0"]}
        (top, bottom), (left, right) = [(int(axis.min()), int(axis.max())) for axis in np.nonzero(labels == k)]
        path = [{"x": x, "y": y} for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
        box = {"x": left, "y": top, "w": right - left, "h": bottom - top}
        found.append(one | ({"mask": {}} if raster else {"polygon": {"paths": [path]}, "bounding_box": box}))
    if raster:
        flat = labels.ravel()
        starts = np.r_[0, np.flatnonzero(np.diff(flat.astype(int))) + 1]
        lengths = np.diff(np.r_[starts, flat.size])
        layer = {
            "dense_rle": [int(n) for pair in zip(flat[starts], lengths) for n in pair],
            "mask_annotation_ids_mapping": {f"id{k}": k for k in range(1, classes + 1)},
            "total_pixels": flat.size,
        }
        found.append({"id": "layer", "name": "__raster_layer__", "slot_names": ["0"], "raster_layer": layer})
    slot = {"type": "image", "slot_name": "0", "width": width, "height": height, "source_files": [{"file_name": "a.png", "url": ""}], "thumbnail_url": ""}
    named = {"name": "n", "slug": "n"}
    source = {"item_id": "a", "dataset": named, "team": named, "workview_url": ""}
    return {"version": "2.0", "schema_ref": "", "item": {"name": "a.png", "path": "/", "source_info": source, "slots": [slot]}, "annotations": found}


def export(mode, classes, raster=False):
    """By class, the value in the middle of its square, and the value that class_mapping.csv tells."""
    shutil.rmtree("out", ignore_errors=True)
    Path("a.json").write_text(json.dumps(item(squares(classes), raster)))
    with contextlib.redirect_stdout(io.StringIO()):
        export_annotations(get_exporter(mode), [Path("a.json")], Path("out"))
    mask = np.array(Image.open("out/masks/a.png"))
    with open("out/class_mapping.csv") as file:
        told = {row["class_name"]: tuple(map(int, row["class_color"].split())) for row in csv.DictReader(file)}
    middles = [mask[SIDE * (k // 16) + 2, SIDE * (k % 16) + 2] for k in range(classes)]
    return [tuple(np.atleast_1d(value).tolist()) for value in middles], [told[f"class {k + 1:03}"] for k in range(classes)]


print("darwin-py", version("darwin-py"))
known = True
for raster, counts in (
    (False, {2: (2, 0), 15: (15, 0), 16: (15, 1), 20: (19, 1), 30: (27, 3), 59: (46, 13), 80: (55, 25), 150: (63, 87), 200: (46, 154)}),
    (True, {2: (2, 0), 15: (15, 0), 30: (28, 2), 80: (55, 25), 150: (61, 89)}),
):
    for classes, wanted in counts.items():
        values, told = export("semantic_mask_grey", classes, raster)
        seen = len(set(values)), sum(a != b for a, b in zip(values, told))
        print(f"{classes} classes as {'raster layer' if raster else 'polygons'}: expected {(classes, 0)} greys and wrong classes, seen {seen}")
        known &= len(set(told)) == classes and seen == wanted
values, told = export("semantic_mask_grey", 16)
print(f"the first and the fifteenth of 16: expected {told[0]} and {told[14]}, seen {values[0]} and {values[14]}")
known &= (told[0], told[14], values[0], values[14]) == ((15,), (239,), (239,), (239,))

sizes = [int(n) for n in np.random.default_rng(0).integers(16, 254, 20)]
for mode, right in (("semantic_mask_grey", 0), ("semantic_mask_index", 20), ("semantic_mask", 20)):
    seen = sum(values == told and len(set(values)) == len(values) for values, told in (export(mode, n) for n in sizes))
    print(f"20 random numbers of classes from 16 to 253, {mode}: expected 20 right, seen {seen}")
    known &= seen == right
raise SystemExit(not known)
PYTHON
