#!/usr/bin/env bash
# supervisely 6.74.51, the SDK of Supervisely: in its COCO holes are filled, boxes of masks lack a row and a column, and boxes of keypoints begin at the corner.
# One would expect of convert.to_coco, "Convert Supervisely project to COCO format", masks with the pixels of the objects, boxes around them, and of a
# skeleton with a node that is not there the box around those that are, as COCO has it: num_keypoints is "the number of labeled keypoints (v>0)".
# Seen, of 20 polygons with a hole each: all 20 are written without it; of 25,257 pixels that pycocotools counts 17,541 lie in holes, where the area
# written beside has the hole taken out. Of 20 polygons without a hole area and pixels are alike.
# Of 20 bitmaps of several pixels all have their right pixels, as run lengths, but a box a pixel too narrow and too low: the last pixel less the first. One of a
# row has a height of 0, and pycocotools gives an IoU of 0 for its box with itself.
# Of 20 skeletons of which one node is missing all 20 boxes begin at 0, 0, the corner of the image: together they have 20 times the area. Their num_keypoints
# counts the missing node. With all nodes there all 20 are right.
# No warning, and neither the docs nor the tracker name it. (Only a polygon's exterior is written; missing nodes are 0, 0, which the box takes in, too.)
# Rings, organs and windows are learnt as filled; keypoints are scored by the area, which OKS divides by, so that errors count a fraction.
# `wsss prepare folder --coco` takes boxes and polygons as they stand, with these and the filled holes in its masks.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "supervisely==6.74.51" "numpy==2.4.6" "opencv-python==4.14.0.94" \
  "pycocotools==2.0.11" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import json
import logging
from importlib.metadata import version
from pathlib import Path

import numpy as np
import supervisely as sly
from pycocotools import mask as masks
from pycocotools.coco import COCO
from supervisely.geometry.graph import GraphNodes, KeypointsTemplate, Node

logging.disable(logging.WARNING)
SIZE = (100, 160)
chance = np.random.default_rng(0)


def square(top, left, bottom, right):
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def written(name, kind, geometries, config=None):
    """The objects of a project in COCO, each in an image of its own, and pycocotools' view of the file."""
    one = sly.ObjClass("thing", kind, geometry_config=config)
    project = sly.Project(name, sly.OpenMode.CREATE)
    project.set_meta(sly.ProjectMeta([one]))
    dataset = project.create_dataset("ds")
    for k, geometry in enumerate(geometries):
        dataset.add_item_np(f"{k:02}.png", np.zeros((*SIZE, 3), np.uint8), sly.Annotation(SIZE, [sly.Label(geometry(one), one)]))
    sly.convert.to_coco(name, dest_dir=name + "_coco", log_progress=False)
    (path,) = Path(name + "_coco").rglob("*.json")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    order = {image["id"]: image["file_name"] for image in json.loads(path.read_text())["images"]}
    return coco, sorted(coco.anns.values(), key=lambda object: order[object["image_id"]])


print("supervisely", version("supervisely"))
known = True
corners = [tuple(int(one) for one in (*chance.integers(0, 40, 2), *chance.integers(20, 50, 2))) for _ in range(20)]
for holes in (True, False):
    shapes = [
        lambda one, t=t, l=l, h=h, w=w, holes=holes: sly.Polygon(square(t, l, t + h, l + w), [square(t + 3, l + 3, t + h - 3, l + w - 3)] * holes)
        for t, l, h, w in corners
    ]
    coco, objects = written(f"polygons_{holes}", sly.Polygon, shapes)
    pixels = np.array([int(coco.annToMask(one).sum()) for one in objects])
    areas = np.array([one["area"] for one in objects])
    right = np.array([h * w - holes * (h - 6) * (w - 6) for _, _, h, w in corners])
    more = (pixels - right).sum()
    print(f"20 polygons {'with' if holes else 'without'} a hole: areas right {int((areas == right).sum())}")
    print(f"  pixels by pycocotools too many: expected 0, seen {more} of {pixels.sum()}, {100 * more / pixels.sum():.0f}%")
    known &= (areas == right).all() and (more > 10000) == holes and (holes or more == 0)

bitmaps = []
for k, (top, left, height, width) in enumerate(corners):
    height = 1 if k == 0 else height
    mask = np.zeros(SIZE, bool)
    mask[top : top + height, left : left + width] = chance.random((height, width)) < 0.6
    mask[top, left : left + width] = mask[top : top + height, left] = True
    bitmaps.append(mask)
coco, objects = written("bitmaps", sly.Bitmap, [lambda one, mask=mask: sly.Bitmap(mask) for mask in bitmaps])
same = sum((coco.annToMask(one) > 0).tolist() == mask.tolist() for one, mask in zip(objects, bitmaps))
boxes = np.array([one["bbox"] for one in objects], float)
around = np.array([masks.toBbox(coco.annToRLE(one)) for one in objects])
print(f"20 bitmaps: right pixels {same}; boxes less those around the pixels: expected [0, 0, 0, 0], seen {np.unique(boxes - around, axis=0).tolist()}")
with_itself = masks.iou(boxes[:1], boxes[:1], [0]).item(), masks.iou(around[:1], around[:1], [0]).item()
print(f"  IoU with itself of the box of one row, as written and as it should be: expected (1.0, 1.0), seen {with_itself}")
known &= same == 20 and np.unique(boxes - around, axis=0).tolist() == [[0, 0, -1, -1]] and with_itself == (0.0, 1.0)

template = KeypointsTemplate()
for label in "abcd":
    template.add_point(label=label, row=0, col=0)
for missing in (1, 0):
    points = [np.array([40, 60]) + chance.integers(0, 40, (4 - missing, 2)) for _ in range(20)]

    def skeleton(one, places):
        names = [name for name, _ in sorted(one.geometry_config["nodes"].items(), key=lambda node: node[1]["label"])]
        return GraphNodes({name: Node(sly.PointLocation(int(y), int(x))) for name, (y, x) in zip(names, places)})

    coco, objects = written(f"points_{missing}", GraphNodes, [lambda one, places=places: skeleton(one, places) for places in points], template)
    right = [[*places.min(0)[::-1].tolist(), *np.ptp(places, axis=0)[::-1].tolist()] for places in points]
    boxes = [one["bbox"] for one in objects]
    counted = {one["num_keypoints"] for one in objects}
    ratio = sum(one["area"] for one in objects) / sum(w * h for _, _, w, h in right)
    correct, cornered = sum(map(list.__eq__, boxes, right)), sum(box[:2] == [0, 0] for box in boxes)
    print(f"20 skeletons of 4 nodes with {missing} missing: right boxes expected 20, seen {correct}; at 0, 0: {cornered}")
    print(f"  area to that of the nodes: expected 1.0, seen {ratio:.1f}; num_keypoints expected {{{4 - missing}}}, seen {counted}")
    known &= (boxes == right) == (not missing) and counted == {4} and cornered == 20 * missing
    known &= ratio > 5 if missing else ratio == 1
raise SystemExit(not known)
PYTHON
