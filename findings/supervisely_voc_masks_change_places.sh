#!/usr/bin/env bash
# supervisely 6.74.51, the SDK of Supervisely: its Pascal VOC has the masks of classes in the folder of objects, and those of objects in the folder of classes.
# One would expect of convert.to_pascal_voc what VOC is and what its colors.txt, written beside them, says: in SegmentationClass each class has its colour, in
# SegmentationObject each object one of its own; and that what it writes it can read.
# Seen, of 10 images with 6 objects each, of three classes: in SegmentationClass none of the 60 objects has its class's colour: the 6 of an image have 6
# colours, made up anew for each image. In SegmentationObject all 60 have their class's colour, 2 or 3 an image, so that objects of a class cannot be told
# apart.
# As numbers, which is how VOC's masks are read, neither is of use: each image has a palette of its own, in which the border is 0, where VOC has 255, the
# background 3 or more, where VOC has 0, and a class one number in one image and another in the next.
# Read by the library's own importer the 10 images have 60 boxes and no mask, as its own names, ..._class.png, are not found; with those renamed to the images'
# names there are 60 boxes and no mask still; with the two folders exchanged besides, all 60 masks are there, of the right classes. (The importer needs NumPy 1
# for masks: with 2 it says of each image that it failed.)
# No warning, and its tracker does not name it. (Each object's new colour is drawn into what is called the class mask, the class's colour into the other.)
# So with Project.to_pascal_voc, Dataset.to_pascal_voc and Annotation.to_pascal_voc, for polygons as for bitmaps.
# A network that learns from SegmentationClass learns as many classes as an image has objects, in the order of their colours.
# `wsss prepare folder --masks` refuses those of SegmentationClass, with colours (--mask-values) and without: values that no class has; with the classes'
# colours it takes those of SegmentationObject for what they are.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "supervisely==6.74.51" "numpy==1.26.4" "pillow==12.3.0" "lxml==6.1.3" \
  "opencv-python==4.11.0.86" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import logging
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import supervisely as sly
from PIL import Image
from supervisely.convert.image.pascal_voc.pascal_voc_converter import PascalVOCConverter

logging.disable(logging.WARNING)
CLASSES = {"cat": (128, 0, 0), "dog": (0, 128, 0), "sheep": (0, 0, 128)}
SIZE = (80, 120)


def read():
    """The labels of what was written, by the library's own importer: boxes, masks, and masks of the right class."""
    importer = PascalVOCConverter("voc/VOCdevkit/VOC", None, False)
    assert importer.validate_format()
    found = Counter()
    for item in importer.get_items():
        for label in importer.to_supervisely(item).labels:
            if label.obj_class.name != "neutral":
                found[label.geometry.name()] += 1
            if label.geometry.name() == "bitmap" and label.obj_class.name != "neutral":
                y, x = label.geometry.origin.row + 3, label.geometry.origin.col + 3
                found["right"] += label.obj_class.name == truth[item.name.removeprefix("ds_").removesuffix(".jpg")][y // 40, x // 40]
    return found["rectangle"], found["bitmap"], found["right"]


print("supervisely", version("supervisely"))
chance = np.random.default_rng(0)
classes = {name: sly.ObjClass(name, sly.Bitmap, color=list(colour)) for name, colour in CLASSES.items()}
project = sly.Project("project", sly.OpenMode.CREATE)
project.set_meta(sly.ProjectMeta(list(classes.values())))
dataset, truth = project.create_dataset("ds"), {}
for k in range(10):
    names = chance.choice(list(CLASSES), (2, 3))
    labels = []
    for (i, j), name in np.ndenumerate(names):
        mask = np.zeros(SIZE, bool)
        mask[40 * i + 8 : 40 * i + 26 + chance.integers(6), 40 * j + 8 : 40 * j + 26 + chance.integers(6)] = True
        labels.append(sly.Label(sly.Bitmap(mask), classes[name]))
    dataset.add_item_np(f"{k}.png", np.zeros((*SIZE, 3), np.uint8), sly.Annotation(SIZE, labels))
    truth[str(k)] = names
sly.convert.to_pascal_voc("project", dest_dir="voc", log_progress=False)

known, folder = True, Path("voc/VOCdevkit/VOC")
written = {line.split()[0]: tuple(map(int, line.split()[1:])) for line in (folder / "colors.txt").read_text().splitlines()}
print("colors.txt:", written)
known &= {name: written[name] for name in CLASSES} == CLASSES
for kind, ending, wanted in (("SegmentationClass", "class", (0, {6})), ("SegmentationObject", "instance", (60, {2, 3}))):
    right, colours, numbers = 0, set(), defaultdict(set)
    for k, names in truth.items():
        image = Image.open(folder / kind / f"ds_{k}_{ending}.png")
        pixels, rgb = np.array(image), np.array(image.convert("RGB"))
        seen = set()
        for (i, j), name in np.ndenumerate(names):
            place = 40 * i + 15, 40 * j + 15
            seen.add(tuple(rgb[place].tolist()))
            right += tuple(rgb[place].tolist()) == written[name]
            numbers[str(name)].add(int(pixels[place]))
        colours.add(len(seen))
        numbers["border"] |= set(pixels[(rgb == written["neutral"]).all(-1)].tolist())
        numbers["background"].add(int(pixels[0, 0]))
    print(f"{kind}: objects in their class's colour expected {60 if ending == 'class' else 0} of 60, seen {right}; colours an image {sorted(colours)}")
    print(f"  numbers expected 255 for the border and 0 for the background, seen {dict(sorted(numbers.items()))}")
    known &= (right, colours) == wanted and numbers["border"] == {0} and min(numbers["background"]) > 2 and any(len(numbers[name]) > 1 for name in CLASSES)

as_written = read()
for kind, ending in (("SegmentationClass", "class"), ("SegmentationObject", "instance")):
    for k in truth:
        (folder / kind / f"ds_{k}_{ending}.png").rename(folder / kind / f"ds_{k}.png")
renamed = read()
(folder / "SegmentationClass").rename(folder / "kept")
(folder / "SegmentationObject").rename(folder / "SegmentationClass")
(folder / "kept").rename(folder / "SegmentationObject")
exchanged = read()
print(f"read by its importer, boxes, masks and masks of the right class: expected (60, 60, 60), seen {as_written}")
print(f"with the images' names: {renamed}; with the folders exchanged besides: {exchanged}")
known &= (as_written, renamed, exchanged) == ((60, 0, 0), (60, 0, 0), (60, 60, 60))
raise SystemExit(not known)
PYTHON
