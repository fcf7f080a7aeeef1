#!/usr/bin/env bash
# kili-formats 1.7.1, with which Kili's Python client exports: in its COCO every hole of an object is filled, where the area and its own YOLO have it.
# One would expect of convert_from_kili_to_coco_format, which by its source means to "remove negative area", a mask without the hole, as the label has it and as
# the YOLO of the same library: "a part's holes are joined to its outline by a zero-width bridge, so a filled outline leaves them empty".
# Seen, of 60 rings in 20 images of 200 x 160, drawn by pycocotools: all 60 are whole, 74,540 pixels for 46,894, where the areas written beside add up to
# 46,884; the IoU with the right masks is 0.63. Drawn from the lines of its YOLO all 60 have their hole, pixel by pixel. Without holes both are right.
# No warning; its tracker has the change that added "negative polygon in COCO format", and nothing that says what becomes of it. (A hole is written as one more
# polygon of the object, and COCO's polygons are parts that add up.)
# Rings, vessels, windows and what shows through an object are learnt as the object; a perfect network is scored as if it had missed the middle.
# `wsss prepare folder --coco FILE --masks-from-shapes` draws the polygons as they stand, and so fills them too.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "kili-formats==1.7.1" "numpy==2.4.6" "shapely==2.2.0" "imagesize==1.4.1" \
  "typing-extensions==4.16.0" "pycocotools==2.0.11" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from kili_formats.format.coco import convert_from_kili_to_coco_format
from kili_formats.format.yolo import convert_from_kili_to_yolo_format
from kili_formats.types import JobCategory
from pycocotools import mask as masks

WIDTH, HEIGHT = 200, 160
JOB = {"content": {"categories": {"RING": {"name": "Ring"}}, "input": "radio"}, "mlTask": "OBJECT_DETECTION", "tools": ["semantic"]}
CLASSES = {"JOB_0__RING": JobCategory(category_name="RING", id=0, job_id="JOB_0")}


def drawn(polygons):
    """The pixels that pycocotools has for an object's polygons."""
    return masks.decode(masks.merge(masks.frPyObjects(polygons, HEIGHT, WIDTH))).astype(bool)


def corners(x, y, radius):
    """An octagon, as a flat list in pixels."""
    turns = np.arange(8) * np.pi / 4
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1).ravel().tolist()


def vertices(polygon):
    return {"normalizedVertices": [{"x": x / WIDTH, "y": y / HEIGHT} for x, y in zip(polygon[::2], polygon[1::2])]}


def label(objects):
    """A label as Kili has it: the outline of each object, then its holes."""
    shared = {"categories": [{"name": "RING"}], "type": "semantic"}
    one = [{"boundingPoly": [vertices(ring) for ring in rings], "mid": str(k), **shared} for k, rings in enumerate(objects)]
    return {"jsonResponse": {"JOB_0": {"annotations": one}}}


def exported(images):
    assets = [
        {"content": "", "externalId": f"{k}.png", "resolution": {"width": WIDTH, "height": HEIGHT}, "latestLabel": label(objects), "jsonContent": ""}
        for k, objects in enumerate(images)
    ]
    coco = convert_from_kili_to_coco_format({"JOB_0": JOB}, assets, "rings", "IMAGE", None, merged=False)
    lines = [line[1:] for objects in images for line in convert_from_kili_to_yolo_format("JOB_0", label(objects), CLASSES, task="segment")]
    return coco["annotations"], [[[side * (HEIGHT if k % 2 else WIDTH) for k, side in enumerate(line)]] for line in lines]


print("kili-formats", version("kili-formats"))
known = True
chance = np.random.default_rng(0)
images = []
for _ in range(20):
    images.append([])
    for column in range(3):
        x, y, radius = 35 + 65 * column + chance.uniform(-4, 4), chance.uniform(40, 120), chance.uniform(15, 25)
        images[-1].append([corners(x, y, radius), corners(x, y, radius * chance.uniform(0.5, 0.7))])
for name, given, holes in (("with a hole", images, True), ("without", [[rings[:1] for rings in objects] for objects in images], False)):
    written, lines = exported(given)
    flat = [rings for objects in given for rings in objects]
    right = [drawn(rings[:1]) & ~drawn(rings[1:]) if rings[1:] else drawn(rings) for rings in flat]
    seen, yolo = [drawn(one["segmentation"]) for one in written], [drawn(line) for line in lines]
    whole = sum(bool((mask == drawn(rings[:1])).all()) for mask, rings in zip(seen, flat))
    overlap = [(a & b).sum() / (a | b).sum() for a, b in zip(right, seen)]
    by_yolo = [(a & b).sum() / (a | b).sum() for a, b in zip(right, yolo)]
    pixels, areas, expected = sum(int(mask.sum()) for mask in seen), sum(one["area"] for one in written), sum(int(mask.sum()) for mask in right)
    print(f"{len(flat)} {name}: expected {expected} pixels, seen {pixels}, areas beside {areas:.0f}; whole {whole}, IoU {np.mean(overlap):.2f}")
    print(f"  by the lines of its YOLO: {sum(int(mask.sum()) for mask in yolo)} pixels, IoU {np.mean(by_yolo):.2f}, {min(by_yolo):.2f} at least")
    known &= len(written) == len(lines) == 60 and whole == 60 and abs(areas / expected - 1) < 0.01 and min(by_yolo) == 1
    known &= pixels == 74540 and expected == (46894 if holes else 74540) and (max(overlap) < 0.8) == holes
raise SystemExit(not known)
PYTHON
