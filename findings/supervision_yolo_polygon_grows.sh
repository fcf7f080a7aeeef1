#!/usr/bin/env bash
# supervision reads a YOLO polygon as a mask that is a pixel larger at the right and lower side.
# One would expect the pixels whose centres the polygon holds: of a square from 2.25 to 5.75 the 16 from 2 to 5.
# Seen: corners are rounded to whole numbers (2 and 6) and drawn with their line: 25 pixels, from 2 to 6; so of a
# square from 2 to 6 and of one from 2.45 to 5.55. Ultralytics cuts the same corners off (2 and 5): one label file
# gives two masks, and no outline suits both. Small objects suffer most: 56 % too much for one of 4 x 4 pixels.
# `wsss export yolo` lays outlines for Ultralytics; docs/exporting.md sends users of supervision to `export coco`.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet supervision==0.31.2 opencv-python-headless==4.12.0.88 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import cv2
import numpy as np
import supervision as sv

for folder in ("images", "labels"):
    Path(folder).mkdir()
Path("data.yaml").write_text("names: [a]\nnc: 1\n")
cv2.imwrite("images/x.jpg", np.zeros((10, 10, 3), np.uint8))
centres = np.arange(10) + 0.5
print("supervision", sv.__version__)
same = True
for low, high in ((2, 6), (2.25, 5.75), (2.45, 5.55)):
    corners = [low, low, high, low, high, high, low, high]
    Path("labels/x.txt").write_text("0 " + " ".join(str(c / 10) for c in corners))
    data = sv.DetectionDataset.from_yolo("images", "labels", "data.yaml", force_masks=True)
    (mask,) = next(iter(data))[2].mask
    inside = int(((centres > low) & (centres < high)).sum()) ** 2
    print(f"square from {low} to {high}: expected {inside} pixels, seen {int(mask.sum())}")
    same = same and inside == 16 and int(mask.sum()) == 25
raise SystemExit(0 if same else 1)
PYTHON
