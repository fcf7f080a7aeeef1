#!/usr/bin/env bash
# ImgAnn 0.8.1, conversion of annotation files: in the COCO it writes every object counts as a crowd, and by default its box lies elsewhere.
# One would expect of voc2coco what the format says: iscrowd and area are numbers, iscrowd 0 for an object, and bbox is x and y of the upper left corner,
# width and height; so that pycocotools finds the objects, and the boxes scored against themselves have AP 1.
# Seen: "iscrowd": "0", "ignore": "0" and "area": "4800", which are strings, and "0" is true: of four objects getAnnIds(iscrowd=False) finds none, a filter for
# iscrowd == 0, as training code has it, leaves none, and COCOeval takes all for ignored: AP and AR of the boxes against themselves are -1, without an error.
# With the numbers put right, and nothing else, AP is 1.
# Seen besides: unless center=False is given, x and y are the box's middle, in reading and in writing, so that a COCO file becomes VOC boxes half a box away
# to the upper left; its README has center=True as the default and says of one site's files that they need False, which are as the format says.
# No warning. So for csv2coco, which goes the same way; the file is valid JSON and loads. So since 0.5.4 at least.
# Who converts to COCO trains on images without objects, or has scores of -1, and looks for the fault in the model or in category ids.
# `wsss` does not use ImgAnn.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-deps "imgann==0.8.1" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "numpy==2.4.6" "pandas==2.3.3" "matplotlib==3.10.8" "opencv-python-headless==4.13.0.92" \
  "pillow==12.1.0" "scikit-learn==1.8.0" "pycocotools==2.0.11" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import json
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path

from imgann import Convertor
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OBJECTS = {"a": [("cat", (20, 10, 80, 90)), ("dog", (100, 20, 180, 80))], "b": [("dog", (30, 40, 90, 70)), ("cat", (110, 5, 190, 95))]}  # xmin ymin xmax ymax


def scores(coco, numbers=False):
    """AP of the boxes against themselves."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(coco))
        for one in truth.dataset["annotations"] if numbers else []:
            one.update({key: int(one[key]) for key in ("iscrowd", "ignore", "area")})
        truth.createIndex()
        found = [{key: one[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9} for one in coco["annotations"]]
        result = COCOeval(truth, truth.loadRes(found), "bbox")
        result.evaluate(), result.accumulate(), result.summarize()
    return round(float(result.stats[0]), 3), len(truth.getAnnIds(iscrowd=False)), sum(one["iscrowd"] == 0 for one in truth.dataset["annotations"])


def boxes(coco):
    names = {one["id"]: one["file_name"][0] for one in coco["images"]}
    return sorted((names[one["image_id"]], *one["bbox"]) for one in coco["annotations"])


print("ImgAnn", version("imgann"))
for folder in ("images", "voc", "coco", "back"):
    Path(folder).mkdir()
for name, objects in OBJECTS.items():
    Image.new("RGB", (200, 100)).save(f"images/{name}.png")
    text = "".join(
        f"<object><name>{kind}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for kind, (x1, y1, x2, y2) in objects
    )
    size = "<size><width>200</width><height>100</height><depth>3</depth></size>"
    Path(f"voc/{name}.xml").write_text(f"<annotation><folder>images</folder><filename>{name}.png</filename>{size}{text}</annotation>")
right = sorted((name, x1, y1, x2 - x1, y2 - y1) for name, objects in OBJECTS.items() for _, (x1, y1, x2, y2) in objects)

Convertor.voc2coco("images", "voc", "coco/corner.json", center=False)
corner = json.loads(Path("coco/corner.json").read_text())
one = corner["annotations"][0]
seen, mended = scores(corner), scores(corner, numbers=True)
print(f"an object: expected iscrowd 0 and its area as numbers, seen iscrowd {one['iscrowd']!r}, ignore {one['ignore']!r}, area {one['area']!r}")
print(f"AP of the boxes against themselves, objects by iscrowd=False and by iscrowd == 0: expected (1.0, 4, 4), seen {seen}; with numbers {mended}")
known = seen == (-1.0, 0, 0) and mended == (1.0, 4, 4) and boxes(corner) == right

Convertor.voc2coco("images", "voc", "coco/default.json")
default = json.loads(Path("coco/default.json").read_text())
print(f"boxes by default: expected {right}, seen {boxes(default)}")
known &= boxes(default) == sorted((name, x + w // 2, y + h // 2, w, h) for name, x, y, w, h in right)
good = {**corner, "annotations": [one | {"iscrowd": 0, "area": one["bbox"][2] * one["bbox"][3]} for one in corner["annotations"]]}
Path("coco/good.json").write_text(json.dumps(good))
Convertor.coco2voc("images", "coco/good.json", "back")
for name, objects in OBJECTS.items():
    read = sorted(tuple(int(box.find(tag).text) for tag in ("xmin", "ymin", "xmax", "ymax")) for box in ET.parse(f"back/{name}.xml").iter("bndbox"))
    expected = sorted(box for _, box in objects)
    print(f"{name}, COCO to VOC by default: expected {expected}, seen {read}")
    known &= read == sorted((x1 - (x2 - x1) // 2, y1 - (y2 - y1) // 2, x1 + (x2 - x1) // 2, y1 + (y2 - y1) // 2) for x1, y1, x2, y2 in expected)
raise SystemExit(not known)
PYTHON
