#!/usr/bin/env bash
# autodistill 0.1.29, which labels images with large models: masks in several parts lose each part below a hundredth of the image, and so whole objects go.
# One would expect of label(), which is to "Label a dataset with the model", a label for each object that the model finds.
# Seen, of a model that finds known objects, 60 of one part and 60 that a bar cuts in two, in 20 images of 400 x 400: all 60 of one part are written, down to
# one of 88 pixels; of those in two parts 38 are not in the labels at all, up to one of 3,312 pixels, and one is there by half. What label() gives back has all
# 120, and the same model with boxes alone has 120 in its labels. In images of 800 x 800 all 60 cut ones are lost, in images of 100 x 100 none is.
# No warning; its docs and its tracker do not name it. (It writes with min_image_area_percentage=0.01, which supervision takes off masks of several parts only,
# part by part; it cannot be set.)
# Masks of SAM and the like often have several parts: a thing behind a pole, or a speck beside it. The lost object is background for the network that learns.
# `wsss` does not use autodistill; `wsss prepare folder --yolo` can only read what is there, and takes an empty file for an image without objects.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "autodistill==0.1.29" "supervision==0.31.2" "roboflow==1.7.3" "numpy==2.4.6" "pillow==13.0.0" \
  "opencv-python==5.0.0.93" "opencv-python-headless==5.0.0.93" "scikit-learn==1.9.1" "PyYAML==6.0.4" "tqdm==4.70.1" "requests==2.34.2" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from autodistill.detection import CaptionOntology, DetectionBaseModel

CLASSES = ["whole", "cut"]


def scene(seed, size):
    """Six objects of an image, three of one part and three cut by a bar of three pixels: where each lies, its class and its mask."""
    chance = np.random.default_rng(seed)
    objects = []
    for k in range(6):
        height, width = chance.integers(8, 30, 2) if k < 3 or size == 100 else chance.integers(20, 100, 2)
        height, width = max(int(height), 24 if size == 100 else 0), max(int(width), 24 if size == 100 else 0)
        top, left = size // 2 * (k // 3), size // 3 * (k % 3)
        mask = np.zeros((size, size), bool)
        mask[top : top + height, left : left + width] = True
        if k > 2:
            mask[:, left + width // 2 - 1 : left + width // 2 + 2] = False
        objects.append(([left, top, left + width, top + height], int(k > 2), mask))
    return objects


@dataclass
class Known(DetectionBaseModel):
    """A model that knows each image, whose number is its grey."""

    ontology: CaptionOntology
    masks: bool = True

    def predict(self, input):
        boxes, classes, masks = zip(*scene(int(input[0, 0, 0]), len(input)))
        ones = np.ones(len(boxes))
        return sv.Detections(np.array(boxes, float), np.array(masks) if self.masks else None, ones, np.array(classes))


def labelled(size, masks=True):
    """For each of the 120 objects how many lines of the label files lie in its box; and how many detections come back."""
    folder = Path(f"{size}_{masks}")
    folder.mkdir()
    for seed in range(20):
        cv2.imwrite(f"{folder}/{seed}.png", np.full((size, size, 3), seed, np.uint8))
    model = Known(CaptionOntology({name: name for name in CLASSES}), masks)
    with contextlib.redirect_stdout(io.StringIO()):
        back = model.label(str(folder), extension=".png", output_folder=f"{folder}_out")
    parts = {0: [], 1: []}
    for seed in range(20):
        (path,) = Path(f"{folder}_out").glob(f"*/labels/{seed}.txt")
        lines = [np.array(line.split(), float) for line in path.read_text().splitlines()]
        places = [line[1:3] * size if len(line) == 5 else line[1:].reshape(-1, 2).mean(0) * size for line in lines]
        for (left, top, right, bottom), kind, _ in scene(seed, size):
            parts[kind].append(sum(left <= x <= right and top <= y <= bottom for x, y in places))
    return [[parts[kind].count(number) for number in (0, 1, 2)] for kind in (0, 1)], sum(len(one) for one in back.annotations.values())


print("autodistill", version("autodistill"), "supervision", version("supervision"))
known = True
for size, masks, lost in ((400, True, 38), (400, False, 0), (800, True, 60), (100, True, 0)):
    (whole, cut), back = labelled(size, masks)
    print(f"{size} x {size}, {'masks' if masks else 'boxes'}: of 60 whole objects without a line, with one, with two: expected [0, 60, 0], seen {whole}")
    print(f"  of 60 cut ones: expected {'[0, 0, 60]' if masks else '[0, 60, 0]'}, seen {cut}; given back: {back} of 120")
    known &= whole == [0, 60, 0] and cut[0] == lost and back == 120
raise SystemExit(not known)
PYTHON
