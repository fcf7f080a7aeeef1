#!/usr/bin/env bash
# Datumaro takes the corners of Pascal VOC's boxes, which are pixels counted from 1, for coordinates counted from 0.
# One would expect of VOC's box of a whole image of 24 x 18 pixels (1, 1, 24, 18) COCO's box 0, 0, 24, 18.
# Seen: 1, 1, 23, 17: a column at the left and a row at the top are missing; of a box of one pixel (5, 5, 5, 5) nothing
# is left. What it writes as VOC, and so CVAT's "Pascal VOC 1.1", counts from 0 as well.
# `wsss prepare folder --xml` reads corners as VOC defines them; docs/folder.md says what that makes of these files.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet datumaro==1.13.12 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
from importlib.metadata import version
from pathlib import Path

import datumaro as dm
import numpy as np
from PIL import Image

for folder in ("Annotations", "ImageSets/Main", "JPEGImages"):
    Path("voc", folder).mkdir(parents=True)
Image.fromarray(np.zeros((18, 24, 3), np.uint8)).save("voc/JPEGImages/x.jpg")
Path("voc/ImageSets/Main/train.txt").write_text("x\n")
objects = "".join(
    f"<object><name>cat</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
    for x0, y0, x1, y1 in ((1, 1, 24, 18), (5, 5, 5, 5))
)
size = "<size><width>24</width><height>18</height><depth>3</depth></size>"
Path("voc/Annotations/x.xml").write_text(f"<annotation><filename>x.jpg</filename>{size}{objects}</annotation>")
dm.Dataset.import_from("voc", "voc_detection").export("coco", "coco_instances")
content = json.loads(Path("coco/annotations/instances_train.json").read_text())
boxes = [row["bbox"] for row in content["annotations"]]
print("datumaro", version("datumaro"))
print("expected [[0, 0, 24, 18], [4, 4, 1, 1]], seen", boxes)
raise SystemExit(boxes != [[1, 1, 23, 17], [5, 5, 0, 0]])
PYTHON
