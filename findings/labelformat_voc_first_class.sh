#!/usr/bin/env bash
# labelformat, from YOLO to Pascal VOC's masks, makes the first class background.
# One would expect two values in the mask of an image with two objects, of class 0 and of class 1: VOC's 0 is background.
# Seen: class ids are written as they are, and YOLO's count from 0: the object of class 0 is background, without a word,
# while class_id_to_name.json calls 0 by the class's name.
# `wsss export labels` counts classes from 1 in masks and from 0 in YOLO; docs/exporting.md says so for both.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet labelformat==0.1.17 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from labelformat.formats.semantic_segmentation.pascalvoc import PascalVOCSemanticSegmentationOutput
from labelformat.formats.yolov8 import YOLOv8InstanceSegmentationInput
from PIL import Image

for folder in ("images", "labels"):
    Path(folder).mkdir()
Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save("images/x.png")
Path("data.yaml").write_text("path: .\ntrain: images\nnc: 2\nnames: {0: cat, 1: dog}\n")
Path("labels/x.txt").write_text("0 0.1 0.1 0.4 0.1 0.4 0.4 0.1 0.4\n1 0.6 0.6 0.9 0.6 0.9 0.9 0.6 0.9\n")
PascalVOCSemanticSegmentationOutput(Path("voc")).save(YOLOv8InstanceSegmentationInput(Path("data.yaml"), "train"))
mask = np.asarray(Image.open("voc/SegmentationClass/x.png"))
names = json.loads(Path("voc/class_id_to_name.json").read_text())
in_cat, in_dog = int(mask[5, 5]), int(mask[15, 15])
print("labelformat", version("labelformat"))
print(f"expected three values, of background, cat and dog; seen: background {mask[0, 0]}, cat {in_cat}, dog {in_dog}")
print("class_id_to_name.json:", names)
raise SystemExit((int(mask[0, 0]), in_cat, in_dog, names) != (0, 0, 1, {"0": "cat", "1": "dog"}))
PYTHON
