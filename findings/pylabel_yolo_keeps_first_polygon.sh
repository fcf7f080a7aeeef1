#!/usr/bin/env bash
# PyLabel 0.1.55, which converts annotated images: of an object that COCO has as several polygons its YOLO files for segmentation have the first alone.
# One would expect of segmentation=True, for which "segmentation annotations will be exported", all that was drawn: an object that something before it cuts
# in two has two polygons in COCO, which for YOLO can be joined to one line or written as two.
# Seen, of a car of 4200 pixels behind a post that leaves 600 and 3600 of it: a line with the 600, since they come first; in the other order the 3600. No
# warning. The table of objects keeps both polygons and the box around them, and ExportToCoco writes both; without segmentation=True the line is the box of
# both, so that file and this one disagree on where the car is.  (It takes the list's first polygon.)  The code has been so since 0.1.49 at least.
# Who trains on these lines learns that the rest of each such object is background.
# `wsss` does not use PyLabel; `wsss export labels --format yolo` writes a line for each piece.
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

from pylabel import importer

WIDTH, HEIGHT = 200, 100
rear, front = [20, 30, 30, 30, 30, 90, 20, 90], [50, 30, 110, 30, 110, 90, 50, 90]
seen = {}


def area(corners):
    """The area of a polygon given as x and y by turns."""
    points = list(zip(corners[::2], corners[1::2]))
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))) / 2


print("pylabel", version("pylabel"))
for name, polygons in (("rear, front", [rear, front]), ("front, rear", [front, rear]), ("front", [front])):
    box = [min(p[0] for p in polygons), 30, 110 - min(p[0] for p in polygons), 60]
    car = {"id": 1, "image_id": 1, "category_id": 0, "bbox": box, "area": sum(map(area, polygons)), "iscrowd": 0, "segmentation": polygons}
    image = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    coco = {"images": [image], "annotations": [car], "categories": [{"id": 0, "name": "car", "supercategory": ""}]}
    Path("coco.json").write_text(json.dumps(coco))
    data = importer.ImportCoco("coco.json")
    data.export.ExportToYoloV5("labels", segmentation=True)
    lines = [[float(v) for v in line.split()[1:]] for line in Path("labels/a.txt").read_text().splitlines()]
    found = round(sum(area(line) for line in lines) * WIDTH * HEIGHT)
    importer.ImportCoco("coco.json").export.ExportToYoloV5("boxes")
    width = round(float(Path("boxes/a.txt").read_text().split()[3]) * WIDTH)
    span = round((max(lines[0][::2]) - min(lines[0][::2])) * WIDTH)
    importer.ImportCoco("coco.json").export.ExportToCoco("out.json")
    (kept,) = json.loads(Path("out.json").read_text())["annotations"]
    seen[name] = found, width, span, len(kept["segmentation"])
    print(f"{name}: pixels of the car expected {round(car['area'])}, seen {found}; across, by its box {width}, by the polygon {span}")
raise SystemExit(seen != {"rear, front": (600, 90, 10, 2), "front, rear": (3600, 90, 60, 2), "front": (3600, 60, 60, 1)})
PYTHON
