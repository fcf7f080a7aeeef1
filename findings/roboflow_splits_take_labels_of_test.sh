#!/usr/bin/env bash
# roboflow 1.7.3, Roboflow's client: of a data set whose images are numbered in each split, all images are uploaded with the annotations of test.
# One would expect of upload_dataset, to which its docs give a folder with train, valid and test, each with its images and its own _annotations.coco.json,
# that an image gets what the file beside it says. Names that repeat are allowed: the docs of Roboflow's RF-DETR show image1.jpg in each of the three folders.
# Seen, of three such folders with 0000.jpg to 0009.jpg each, as parsefolder reads them, of which upload_dataset sends each image with what it found: the 20
# images of train and valid have the boxes of test, each those of its namesake; so for COCO, for CreateML, for CSV and for JSON lines, with train and valid
# alone both have train's; with names of their own, or for YOLO, which has a file for each image, all 30 are right.
# The same with folders within a split: of a/1.jpg and b/1.jpg, which the file in train names so, both get those of b/1.jpg; a file in the topmost folder works.
# Seen besides: which split an image is for is told from all of its path, its name too: test/train-station.jpg and test/strainer.jpg go to train, and
# train/invalid-pass.jpg to valid, though the folders say otherwise.
# No warning, and its tracker does not name it. (It looks for the image's path below the topmost folder, which such files do not have, then for the bare name
# in all files, of which the first that has it is taken.)
# Frames of videos and exports of other tools are numbered so: all of train is trained with boxes of other pictures, as many as there should be, and pictures
# that were kept for testing are trained on.
# `wsss` does not use roboflow.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.4.6" "pillow==11.3.0" "pillow-avif-plugin==1.6.0" "requests==2.34.2" "requests-toolbelt==1.0.0" "python-dotenv==1.2.4" "tqdm==4.70.1" \
  "PyYAML==6.0.4" "filetype==1.2.0" "opencv-python-headless==4.13.0.92"
install --no-deps "roboflow==1.7.3"
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
import re
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from roboflow.util.folderparser import parsefolder

X = {"train": 1, "valid": 2, "test": 3}  # the left side of each split's boxes


def coco(rows):
    names = [name for name, _ in rows]
    images = [{"id": n, "file_name": name, "width": 100, "height": 100} for n, name in enumerate(names)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [x, 0, 50, 50], "area": 2500, "iscrowd": 0} for n, (_, x) in enumerate(rows)]
    return json.dumps({"info": {}, "licenses": [], "categories": [{"id": 1, "name": "cell"}], "images": images, "annotations": boxes})


def createml(rows):
    return json.dumps([{"image": n, "annotations": [{"label": "cell", "coordinates": {"x": x, "y": 25, "width": 50, "height": 50}}]} for n, x in rows])


def csv(rows):
    return "filename,width,height,class,xmin,ymin,xmax,ymax\n" + "".join(f"{name},100,100,cell,{x},0,{50 + x},50\n" for name, x in rows)


def lines(rows):
    return "".join(json.dumps({"image": name, "prefix": "detect cell", "suffix": f"<loc{x:04}> cell"}) + "\n" for name, x in rows)


def yolo(rows):
    return {Path(name).stem + ".txt": f"0 0.{x} 0.5 0.5 0.5\n" for name, x in rows}


FORMATS = {
    "COCO": (coco, "_annotations.coco.json", r'"bbox": \[(\d)'),
    "CreateML": (createml, "_annotations.createml.json", r'"x": (\d)'),
    "CSV": (csv, "_annotations.csv", r"cell,(\d)"),
    "JSON lines": (lines, "_annotations.jsonl", r"<loc000(\d)"),
    "YOLO": (yolo, None, r"^0 0\.(\d)"),
}


def read(format, splits, name):
    """By split, whose boxes its images got."""
    write, file, pattern = FORMATS[format]
    root = Path(mkdtemp(dir="."))
    for split in splits:
        (root / split).mkdir()
        rows = [(name(split, n), X[split]) for n in range(10)]
        for image, _ in rows:
            (root / split / image).write_bytes(b"image")
        written = write(rows)
        for one, text in (written if file is None else {file: written}).items():
            (root / split / one).write_text(text)
    found = {split: Counter() for split in splits}
    for image in parsefolder(str(root))["images"]:
        got = image["annotationfile"]
        text = got["rawText"] if "rawText" in got else (root / got["file"].lstrip("/")).read_text()
        x = int(re.search(pattern, text).group(1))
        found[image["file"].split("/")[1]][next(split for split in X if X[split] == x)] += 1
    return {split: dict(counts) for split, counts in found.items()}


print("roboflow", version("roboflow"))
known = True
numbered, own = lambda split, n: f"{n:04}.jpg", lambda split, n: f"{split}-{n:04}.jpg"
for format in FORMATS:
    for splits, name, what in ((X, numbered, "numbered"), (("train", "valid"), numbered, "numbered"), (X, own, "with names of their own")):
        right, seen = {split: {split: 10} for split in splits}, read(format, splits, name)
        print(f"{format}, {', '.join(splits)}, {what}: expected {right}, seen {seen}")
        first = "test" if "test" in splits else "train"
        known &= seen == (right if name is own or format == "YOLO" else {split: {first: 10} for split in splits})

for place, right in (("train", False), (".", True)):
    root = Path(mkdtemp(dir="."))
    for folder in "ab":
        (root / "train" / folder).mkdir(parents=True)
        (root / "train" / folder / "1.jpg").write_bytes(b"image")
    before = "" if place == "train" else "train/"
    (root / place / "_annotations.coco.json").write_text(coco([(f"{before}a/1.jpg", 1), (f"{before}b/1.jpg", 2)]))
    seen = {image["file"]: json.loads(image["annotationfile"]["rawText"])["annotations"][0]["bbox"][0] for image in parsefolder(str(root))["images"]}
    print(f"two folders, a file in {place}: expected {{'/train/a/1.jpg': 1, '/train/b/1.jpg': 2}}, seen {seen}")
    known &= list(seen.values()) == ([1, 2] if right else [2, 2])

root = Path(mkdtemp(dir="."))
wrong = {"test/train-station.jpg": "train", "test/strainer.jpg": "train", "train/invalid-pass.jpg": "valid"}
for name in (*wrong, "test/bridge.jpg", "train/bridge.jpg"):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"image")
for image in parsefolder(str(root))["images"]:
    name = image["file"].lstrip("/")
    print(f"{name}: expected {name.split('/')[0]}, seen {image['split']}")
    known &= image["split"] == wrong.get(name, name.split("/")[0])
raise SystemExit(not known)
PYTHON
