#!/usr/bin/env bash
# PyLabel 0.1.55, which converts and splits annotated images: GroupShuffleSplit tears images apart, their objects going to train, test and val one by one.
# One would expect what its notebook on splitting says: "you need to ensure that all of the labels for a particular image stay in the same split as the
# image (with no leakage)", for which it names this method, "which uses the GroupShuffleSplit command from sklearn"; the argument group_col is the image.
# Seen, of 100 images with 5 objects each and 60, 20 and 20 % asked for: 92 images lie in two splits or in all three, in each with some of their objects;
# scikit-learn by itself, told the images, shares none. group_col changes nothing. ExportToYoloV5(use_splits=True) then puts each image where its first row
# is, and the rows of train stand first: train gets all 100 images, and dataset.yaml names folders for val and test that are not there; of images with 2
# objects each train gets 83, test 7 and val 10.
# No warning; with one object in each image it is right, and so is StratifiedGroupShuffleSplit. (It hands scikit-learn the rows' own numbers as groups.)
# The code has been so since 0.1.7 at least.
# Who trains on the rows of train and tests on those of test has seen the images, with part of their objects as background; who exports to YOLO has no test.
# `wsss` does not use PyLabel.
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

import yaml
from pylabel import importer
from sklearn.model_selection import GroupShuffleSplit

SHARES = {"train_pct": 0.6, "test_pct": 0.2, "val_pct": 0.2}


def load(objects):
    """100 images with so many objects each, cat and dog by turns."""
    images = [{"id": k, "file_name": f"{k}.png", "width": 100, "height": 100} for k in range(1, 101)]
    rows = [{"image_id": k, "category_id": 1 + j % 2, "bbox": [20 * j, 10, 9, 9], "area": 81} for k in range(1, 101) for j in range(objects)]
    annotations = [row | {"id": k, "iscrowd": 0, "segmentation": []} for k, row in enumerate(rows, 1)]
    categories = [{"id": k, "name": name, "supercategory": ""} for k, name in ((1, "cat"), (2, "dog"))]
    Path("coco.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return importer.ImportCoco("coco.json")


def torn(rows):
    """How many images lie in more than one split."""
    return int((rows.groupby("img_filename")["split"].nunique() > 1).sum())


print("pylabel", version("pylabel"))
seen = {}
for objects in (1, 2, 5):
    data, other, stratified = load(objects), load(objects), load(objects)
    names = data.df["img_filename"]
    train, rest = next(GroupShuffleSplit(1, train_size=0.6, random_state=0).split(names, groups=names))
    assert len(set(names[train])) == 60 and not set(names[train]) & set(names[rest])
    data.splitter.GroupShuffleSplit(**SHARES, random_state=0)
    other.splitter.GroupShuffleSplit(**SHARES, random_state=0, group_col="cat_name")
    assert data.df["split"].equals(other.df["split"])
    stratified.splitter.StratifiedGroupShuffleSplit(**SHARES)
    data.export.ExportToYoloV5(f"{objects}/labels", use_splits=True, cat_id_index=0)
    named = yaml.safe_load(Path(str(objects), "dataset.yaml").read_text())
    files = [len(list(Path(str(objects), "labels", Path(named[split]).name).glob("*.txt"))) for split in ("train", "test", "val")]
    seen[objects] = torn(data.df), torn(stratified.df), files
    print(f"{objects} objects an image: in several splits expected 0 of 100 images, seen {seen[objects][0]} (stratified: {seen[objects][1]})")
    print(f"  YOLO's files for train, test and val: expected [60, 20, 20], seen {files}")
raise SystemExit(seen != {1: (0, 0, [60, 20, 20]), 2: (56, 0, [83, 7, 10]), 5: (92, 0, [100, 0, 0])})
PYTHON
