#!/usr/bin/env bash
# ioumatch 0.1.1, instance scores for masks: where objects fill the whole image it counts one object too few, and F1 can be 2.
# One would expect what its README says: FN are "GT objects not detected", FP "predictions with no corresponding GT", so neither is below 0, and F1, which is
# 2 TP / (2 TP + FP + FN), is 1 if both masks are the same and less if an object is missing.
# Seen, of an image that two cells fill, compared with itself: TP 2, FP -1, FN -1 and F1 2.0; with one cell left out of the prediction F1 1.0 for 0.667; of one
# region that fills the image F1 0.0 with itself; of 100 cells 1.01. So by greedy and Hungarian matching, with normalize on and off. Summed over images by
# evaluate_pairs, each such image takes a miss and a false alarm away from the others: one that is all right and one with two misses and a false
# alarm have F1 0.857 for 0.667.
# No warning. With a single pixel of background all are right.
# (It counts the values in the mask and takes one off for 0, whether there is a 0 or not.)  So in 0.1.0 as well.
# Who scores tiles of dense tissue, grains, parcels or superpixels, which leave no background, has scores above 1, or too good ones that look right.
# `wsss` does not use ioumatch.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "ioumatch==0.1.1" "opencv-python-headless==4.11.0.86" "numpy==2.4.6" "scipy==1.17.1" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from pathlib import Path

import cv2
import ioumatch
import numpy as np


def by_hand(prediction, truth):
    """Objects whose IoU is above a half, of which no object can have two."""
    hits = 0
    ours, theirs = ([label for label in np.unique(mask) if label] for mask in (prediction, truth))
    for one in ours:
        for other in theirs:
            both = ((prediction == one) & (truth == other)).sum()
            hits += both / ((prediction == one) | (truth == other)).sum() > 0.5
    return int(hits), len(ours) - int(hits), len(theirs) - int(hits)


def f1(tp, fp, fn):
    return round(2 * tp / (2 * tp + fp + fn), 3)


cells = np.ones((20, 20), np.uint8)
cells[:, 10:] = 2
one_missed = np.where(cells == 1, cells, 0).astype(np.uint8)
many = np.kron(np.arange(1, 101, dtype=np.uint8).reshape(10, 10), np.ones((8, 8), np.uint8))
whole = np.full((20, 20), 3, np.uint8)
cases = {
    "two cells, the same": (cells, cells, (2, -1, -1, 2.0)),
    "two cells, one missed": (one_missed, cells, (1, 0, 0, 1.0)),
    "100 cells, the same": (many, many, (100, -1, -1, 1.01)),
    "one region, the same": (whole, whole, (1, -1, -1, 0.0)),
    "two cells and an edge of background, the same": (np.pad(cells, 1), np.pad(cells, 1), (2, 0, 0, 1.0)),
    "two cells and an edge of background, one missed": (np.pad(one_missed, 1), np.pad(cells, 1), (1, 0, 1, 0.667)),
}
print("ioumatch", version("ioumatch"))
known = True
for name, (prediction, truth, wrong) in cases.items():
    right = by_hand(prediction, truth)
    for how in ({}, {"method": "hungarian"}, {"normalize": False}):
        result = ioumatch.evaluate_image(prediction, truth, **how)
        seen = (result["tp"], result["fp"], result["fn"], round(result["f1"], 3))
        known &= seen == wrong
    print(f"{name}: TP, FP, FN and F1 expected {(*right, f1(*right))}, seen {seen}")
    known &= "background" not in name or seen == (*right, f1(*right))

three = np.zeros((20, 20), np.uint8)
for label, x in ((1, 1), (2, 8), (3, 15)):
    three[5:15, x : x + 4] = label
found = np.where(three == 1, three, 0).astype(np.uint8)
found[0, 0] = 9  # so that it is not a mask of 0 and 1
for folder, images in (("prediction", (cells, found)), ("truth", (cells, three))):
    Path(folder).mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(f"{folder}/{number}.png", image)
total, _ = ioumatch.evaluate_pairs("prediction/*.png", "truth/*.png")
right = tuple(map(sum, zip(by_hand(cells, cells), by_hand(found, three))))
seen = (total["tp"], total["fp"], total["fn"], round(total["f1"], 3))
print(f"two images, one of which misses two of three cells and has a false one: expected {(*right, f1(*right))}, seen {seen}")
known &= seen == (3, right[1] - 1, right[2] - 1, f1(3, right[1] - 1, right[2] - 1))
raise SystemExit(not known)
PYTHON
