#!/usr/bin/env bash
# cvannotate 1.0.0, a converter between YOLO, Pascal VOC and COCO: every object it reads from Pascal VOC becomes the first class.
# One would expect of "Convert VOC XML files to YOLO for frameworks like YOLOv5/v8", with the list of classes that its command requires, that a dog in the XML
# is the dog's number in YOLO's lines and in COCO; and of VOC written as VOC what was read.
# Seen, of a person, a dog and a cat, with the classes cat, dog, person: three cats, in YOLO, COCO and VOC. So its own VOC files too: what it wrote from YOLO
# as person and dog it reads as cats. No warning, exit status 0, and the boxes are right.
# (It looks for the number in an element that VOC does not have, takes 0 if there is none, and never looks at the name.)
# Seen besides: COCO's category ids are written as YOLO's numbers, which count the classes from 0: of ids 1 to 3, as COCO's own, each object is of the next
# class and the last of one that is not in the list.
# Who trains on what it converts trains on one class, or on shifted ones.
# `wsss prepare folder --xml` and `--coco` go by names; docs/folder.md tells what they read.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "cvannotate==1.0.0" "typer==0.29.2" "defusedxml==0.7.1" "pillow==12.0.0" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON'
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path

CLASSES = ["cat", "dog", "person"]
OBJECTS = [("person", (10, 20, 110, 220)), ("dog", (200, 100, 300, 150)), ("cat", (50, 60, 70, 90))]
OBJECT = (
    "<object><name>{}</name><difficult>0</difficult>"
    "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)


def convert(source, before, after):
    command = [str(Path(sys.executable).with_name("cvannotate")), "convert", "-i", source, "-o", after, "--from-format", before, "-f", after]
    subprocess.run([*command, "-w", "400", "--height", "300", "-c", ",".join(CLASSES)], check=True)


def from_yolo(path):
    return [int(line.split()[0]) for line in path.read_text().splitlines()]


def from_voc(path):
    return [found.text for found in ET.parse(path).getroot().findall("object/name")]


print("cvannotate", version("cvannotate"))
size = "<size><width>400</width><height>300</height><depth>3</depth></size>"
xml = "<annotation><filename>image</filename>" + size + "".join(OBJECT.format(name, *box) for name, box in OBJECTS) + "</annotation>"
Path("image.xml").write_text(xml)
for kind in ("yolo", "coco", "voc"):
    convert("image.xml", "voc", kind)
names = [name for name, _ in OBJECTS]
numbers = [CLASSES.index(name) for name in names]
yolo = from_yolo(Path("yolo/image.txt"))
coco = json.loads(Path("coco/annotations.json").read_text())
called = {category["id"]: category["name"] for category in coco["categories"]}
in_coco = [called[found["category_id"]] for found in coco["annotations"]]
in_voc = from_voc(Path("voc/image.xml"))
print(f"VOC as YOLO: expected {numbers}, seen {yolo}")
print(f"VOC as COCO: expected {names}, seen {in_coco}")
print(f"VOC as VOC: expected {names}, seen {in_voc}")
known = yolo == [0, 0, 0] and in_coco == in_voc == ["cat"] * 3
boxes = [[x, y, right - x, lower - y] for _, (x, y, right, lower) in OBJECTS]
print("boxes are right:", [found["bbox"] for found in coco["annotations"]] == boxes)
known &= [found["bbox"] for found in coco["annotations"]] == boxes

Path("own.txt").write_text("2 0.5 0.5 0.25 0.5\n1 0.25 0.25 0.125 0.25\n")
convert("own.txt", "yolo", "voc")
assert from_voc(Path("voc/own.xml")) == ["person", "dog"]
convert("voc/own.xml", "voc", "yolo")
again = from_yolo(Path("yolo/own.txt"))
print(f"YOLO as VOC and back: expected [2, 1], seen {again}")
known &= again == [0, 0]

ids = {name: number for number, name in enumerate(CLASSES, 1)}
image = {"id": 1, "file_name": "image", "width": 400, "height": 300}
objects = [
    {"id": number, "image_id": 1, "category_id": ids[name], "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
    for number, (name, box) in enumerate(zip(names, boxes), 1)
]
categories = [{"id": number, "name": name} for name, number in ids.items()]
Path("coco.json").write_text(json.dumps({"images": [image], "annotations": objects, "categories": categories}))
convert("coco.json", "coco", "yolo")
shifted = from_yolo(Path("yolo/image.txt"))
print(f"COCO with ids from 1 as YOLO: expected {numbers}, seen {shifted}")
raise SystemExit(not (known and shifted == [number + 1 for number in numbers]))
PYTHON
