#!/usr/bin/env bash
# label_convert 0.3.0, RapidAI's LabelConvert: in the COCO it makes of YOLOv8 each object is of the next class, in that of labelme polygons have wrong boxes.
# One would expect COCO as its format defines it and pycocotools reads it: category_id is the id of the object's category, and bbox is x and y of the
# polygon's upper left corner, its width and its height.
# Seen, from YOLOv8: yolov8_to_coco numbers the categories from 0 and the objects' classes from 1, so cats are dogs, dogs are birds, and birds have a class that
# is not listed; with a yaml file and without. Its yolov5_yaml_to_coco counts both from 1. So since 0.3.0, which brought yolov8_to_coco.
# Seen, from labelme: where the smallest rectangle around a polygon is a turned one, the box goes from one corner of it to the opposite one: a diamond of
# 80 x 80 gets a height of 0, a bar that rises to the right one of -60, a triangle a box that begins at -15, outside the image. Polygons with upright
# sides are right. So since 0.1.3, where it was meant as a repair of boxes from the least and greatest coordinates, which are those that COCO asks for.
# No warning. Who trains on the first learns wrong names for all objects, who trains on the second misplaced boxes, and lacks those that a loader drops for
# having no height.
# `wsss` does not use label_convert.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "label-convert==0.3.0" "pycocotools==2.0.11" "opencv-python==5.0.0.93" "numpy==2.4.6" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import json
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from label_convert.labelme_to_coco import LabelmeToCOCO
from label_convert.yolov8_to_coco import YOLOv8ToCOCO
from pycocotools.coco import COCO

polygons = {
    "upright": [[20, 20], [60, 20], [60, 40], [20, 40]],
    "diamond": [[50, 10], [90, 50], [50, 90], [10, 50]],
    "falling bar": [[10, 20], [20, 10], [90, 80], [80, 90]],
    "rising bar": [[90, 20], [80, 10], [10, 80], [20, 90]],
    "triangle": [[10, 10], [90, 20], [30, 80]],
}
names = ["cat", "dog", "bird"]
for folder in ("yolo/images/train", "yolo/labels/train", "labelme"):
    Path(folder).mkdir(parents=True)
for path in ("yolo/images/train/a.jpg", "labelme/a.jpg"):
    cv2.imwrite(path, np.zeros((100, 100, 3), np.uint8))
Path("yolo/labels/train/a.txt").write_text("0 0.2 0.5 0.2 0.4\n1 0.5 0.5 0.2 0.4\n2 0.8 0.5 0.2 0.4\n")
Path("data.yaml").write_text("names: {0: cat, 1: dog, 2: bird}\n")
shapes = [{"label": name, "points": points, "shape_type": "polygon", "group_id": None, "flags": {}} for name, points in polygons.items()]
page = {"version": "5.0.0", "flags": {}, "shapes": shapes, "imagePath": "a.jpg", "imageData": None, "imageHeight": 100, "imageWidth": 100}
Path("labelme/a.json").write_text(json.dumps(page))


def read(path):
    """Name and box of each object."""
    data = COCO(f"{path}/annotations/instances_train2017.json")
    return [(data.cats.get(row["category_id"], {"name": None})["name"], row["bbox"]) for row in data.anns.values()]


print("label_convert", version("label_convert"))
with contextlib.redirect_stdout(io.StringIO()):
    YOLOv8ToCOCO("yolo", "named", "data.yaml")(("train",))
    YOLOv8ToCOCO("yolo", "unnamed")(("train",))
    LabelmeToCOCO("labelme", "polygons", val_ratio=0)()
    named, unnamed, boxes = [name for name, _ in read("named")], [name for name, _ in read("unnamed")], dict(read("polygons"))
print(f"YOLOv8's classes: expected {names}, seen {named}")
print(f"YOLOv8's classes, no yaml file: expected {[f'class_{k}' for k in range(3)]}, seen {unnamed}")
for name, points in polygons.items():
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    print(f"labelme's {name}: expected the box {[*low.tolist(), *(high - low).tolist()]}, seen {boxes[name]}")
raise SystemExit(
    named != ["dog", "bird", None]
    or unnamed != ["class_1", "class_2", None]
    or list(boxes.values()) != [[20, 20, 40, 20], [10, 50, 80, 0], [20, 10, 60, 80], [10, 80, 80, -60], [-15, 35, 105, -15]]
)
PYTHON
