#!/usr/bin/env bash
# PyLabel 0.1.55, which converts annotated images: for each image without objects ExportToCoco writes the last object before it once more.
# One would expect of three images with 2, 1 and 1 objects and three with none, which it reads and lists, 4 annotations; its table of
# objects, its YOLO files and its VOC files have 4 as well.
# Seen: 7. Where three empty images follow the first, the second object of the first is there four times, with the same id, in the same place of the same
# image. No warning. So from COCO to COCO, and from YOLO, where an empty file marks such an image, to COCO; the empty images themselves are listed.
# Without empty images it is right. (It skips the making of an annotation, but not the adding of it to the file, so the one before goes in again.)
# The code has been so since 0.1.49 at least.
# Who trains on the file weighs some objects by the number of empty images after them, and who counts or scores objects with it counts those several times.
# `wsss` does not use PyLabel.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "pylabel==0.1.55" "pandas==2.2.3" "scikit-learn==1.9.1" "numpy==2.4.6" \
  "opencv-python==5.0.0.93" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from pylabel import importer

OBJECTS = {1: ["cat", "dog"], 2: [], 3: [], 4: [], 5: ["cat"], 6: ["dog"]}
NAMES = ["cat", "dog"]


def convert(data):
    """What COCO's file has: how many annotations and images, and how often each box of each image is there."""
    data.export.ExportToCoco("out.json", cat_id_index=1)
    coco = json.loads(Path("out.json").read_text())
    names = {image["id"]: int(Path(image["file_name"]).stem) for image in coco["images"]}
    boxes = [(names[one["image_id"]], *(round(v) for v in one["bbox"])) for one in coco["annotations"]]
    ids = [one["id"] for one in coco["annotations"]]
    return len(boxes), len(set(boxes)), len(set(ids)), len(names), max(boxes.count(box) for box in boxes)


def coco_file(objects):
    images = [{"id": k, "file_name": f"{k}.png", "width": 100, "height": 100} for k in objects]
    rows = [(k, NAMES.index(name) + 1, [20 + 40 * place, 10, 20, 30]) for k, found in objects.items() for place, name in enumerate(found)]
    annotations = [{"id": n, "image_id": k, "category_id": c, "bbox": b, "area": 600, "iscrowd": 0, "segmentation": []} for n, (k, c, b) in enumerate(rows, 1)]
    categories = [{"id": k, "name": name, "supercategory": ""} for k, name in enumerate(NAMES, 1)]
    Path("coco.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return importer.ImportCoco("coco.json")


def yolo_files():
    Path("labels").mkdir()
    for k, found in OBJECTS.items():
        cv2.imwrite(f"labels/{k}.png", np.zeros((100, 100, 3), np.uint8))
        Path(f"labels/{k}.txt").write_text("".join(f"{NAMES.index(n)} {0.3 + 0.4 * p} 0.25 0.2 0.3\n" for p, n in enumerate(found)))
    return importer.ImportYoloV5("labels", img_ext="png", cat_names=NAMES)


print("pylabel", version("pylabel"))
seen = {"COCO": convert(coco_file(OBJECTS)), "YOLO": convert(yolo_files())}
for name, (count, boxes, ids, images, times) in seen.items():
    print(f"{name} to COCO: annotations expected 4, seen {count}, of {ids} ids; most times one box is there: expected 1, seen {times}; images: {images}")
full = convert(coco_file({k: found for k, found in OBJECTS.items() if found}))
print(f"without the empty images: annotations expected 4, seen {full[0]}")
table = coco_file(OBJECTS)
table.export.ExportToVoc("voc")
voc = sum(file.read_text().count("<object>") for file in Path("voc").glob("*.xml"))
print(f"COCO to VOC: objects expected 4, seen {voc}")
raise SystemExit(any(result != (7, 4, 4, 6, 4) for result in seen.values()) or full != (4, 4, 4, 3, 1) or voc != 4)
PYTHON
