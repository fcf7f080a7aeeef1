#!/usr/bin/env bash
# imantics 0.1.12, COCO Annotator's library for converting annotations: its YOLO lines have a box's corner for its centre, and number classes anew per image.
# One would expect lines as its `styles` says of "yolo", those of darknet: the class by one number from 0 in the whole dataset, then the centre of the box,
# its width and its height, as parts of the image's.
# Seen, of two images, the first with a cat and a dog, the second with another dog: upper left corners, so all boxes lie half their size too far up and left
# and overlap what was drawn (IoU) by 1/7; and the classes are 1 and 2 in the first image, 1 in the second, where the dog so is a cat. No warning.
# Exporting COCO suffers as well, from the second time on: export() makes every format at each call, whichever is asked for, and that for YOLO writes its
# numbers into the dataset's categories. So of the same data the first COCO has the classes 1, 2, 2 and the second 1, 1, 1, with cat and dog both of id 1.
# The code has been so since 0.1.0. (dataset.coco(), which export() calls too, alone changes nothing.)
# Who trains a detector on these lines learns boxes beside the objects, and classes that depend on which came first in each image.
# `wsss` does not use imantics; `wsss prepare` refuses a COCO file in which two classes have one id, and names both.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "imantics==0.1.12" "opencv-python==4.12.0.88" "numpy==2.2.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

from imantics import Dataset

WIDTH, HEIGHT = 200, 100
objects = [("1.png", "cat", (80, 40, 80, 20)), ("1.png", "dog", (20, 60, 40, 30)), ("2.png", "dog", (100, 50, 60, 40))]
numbers = {"cat": 1, "dog": 2}


def outline(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def overlap(one, other):
    """IoU of two boxes, given as x, y, width and height."""
    sides = [max(0, min(one[k] + one[k + 2], other[k] + other[k + 2]) - max(one[k], other[k])) for k in (0, 1)]
    both = sides[0] * sides[1]
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def classes(coco):
    """The categories as they are listed, and the number of each object."""
    return [(c["name"], c["id"]) for c in coco["categories"]], [a["category_id"] for a in coco["annotations"]]


images = [{"id": k, "file_name": f"{k}.png", "width": WIDTH, "height": HEIGHT} for k in (1, 2)]
annotations = [
    {"id": k, "image_id": int(name[0]), "category_id": numbers[kind], "bbox": list(box), "segmentation": [outline(*box)]}
    for k, (name, kind, box) in enumerate(objects, 1)
]
categories = [{"id": number, "name": kind} for kind, number in numbers.items()]
dataset = Dataset.from_coco({"images": images, "annotations": annotations, "categories": categories})
first, second = classes(dataset.export(style="coco")), classes(dataset.export(style="coco"))
lines = [line.split() for name in ("1.png", "2.png") for line in dataset.export(style="yolo")[name]]
print("imantics", version("imantics"))
seen, overlaps = [], []
for (name, kind, box), line in zip(objects, lines, strict=True):
    x, y, width, height = (float(part) * size for part, size in zip(line[1:], (WIDTH, HEIGHT) * 2, strict=True))
    overlaps.append(round(overlap((x - width / 2, y - height / 2, width, height), box), 3))
    right = [numbers[kind] - 1, *((box[k] + box[k + 2] / 2) / size for k, size in ((0, WIDTH), (1, HEIGHT))), box[2] / WIDTH, box[3] / HEIGHT]
    print(f"{kind} in {name}: expected {right}, seen {' '.join(line)}; overlap with the box: expected 1, seen {overlaps[-1]}")
    seen.append(int(line[0]))
known = (list(numbers.items()), [numbers[kind] for _, kind, _ in objects])
print(f"COCO, first export: expected {known}, seen {first}\nCOCO, second export: expected the same, seen {second}")
raise SystemExit(seen != [1, 2, 1] or overlaps != [0.143] * 3 or first != known or second != ([("cat", 1), ("dog", 1)], [1, 1, 1]))
PYTHON
