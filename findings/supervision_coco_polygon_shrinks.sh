#!/usr/bin/env bash
# supervision writes a mask to COCO as a polygon that COCO's own API draws without its right column and lower row.
# One would expect that pycocotools draws the mask that was written, of 16 pixels, and finds its box of 4 x 4.
# Seen: 9 pixels, and the box is written as 3 x 3: corners are pixels, not coordinates. An object of one pixel gets an
# empty segmentation and a box of 0 x 0. A mask with a hole is exact, but marked as a crowd.
# `wsss prepare folder --coco` draws as pycocotools does and says which boxes have no area; docs/folder.md tells.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet supervision==0.31.2 pycocotools==2.0.11 \
  opencv-python-headless==4.12.0.88 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import cv2
import numpy as np
import supervision as sv
from pycocotools.coco import COCO

masks = np.zeros((2, 18, 24), bool)
masks[0, 4:8, 4:8] = masks[1, 12, 12] = True
cv2.imwrite("x.png", np.zeros((18, 24, 3), np.uint8))
found = sv.Detections(sv.mask_to_xyxy(masks).astype(float), masks, class_id=np.zeros(2, int))
sv.DetectionDataset(["a"], ["x.png"], {"x.png": found}).as_coco(annotations_path="coco.json")
coco = COCO("coco.json")
square, pixel = coco.loadAnns([1, 2])
drawn = int(coco.annToMask(square).sum())
print("supervision", sv.__version__)
print(f"square: expected 16 pixels and a box of 4 x 4, seen {drawn} and {square['bbox'][2:]}")
print(f"lone pixel: expected an outline and a box of 1 x 1, seen {pixel['segmentation']} and {pixel['bbox'][2:]}")
seen = (drawn, square["bbox"][2:], pixel["segmentation"], pixel["bbox"][2:])
raise SystemExit(seen != (9, [3, 3], [], [0, 0]))
PYTHON
