#!/usr/bin/env bash
# mdai 0.16.0, MD.ai's client for annotated medical images: a mask turned into MD.ai's form and back loses all beyond a square, and what lies in holes.
# One would expect of convert_mask_data, "Converts a numpy array mask to our internal complex polygon data representation", and convert_mask_annotation_to_array,
# from that "to a numpy array", the mask that was put in, of the image's height and width, as load_mask and NumPy have it.
# Seen, of a mask of 60 rows and 100 columns: an array of 100 rows and 60 columns, in which of two rectangles, at the left and at the right, the right one is not
# there at all; of 100 rows and 60 columns the lower one is not. Of 40 such images with 15 cells each, 240 of 600 cells have no pixel left.
# Seen besides, where the image is square: each hole is a pixel larger at all four sides, 252 pixels for 14 x 14, and what lies in a hole is gone, as a square
# within a ring. Of 40 square images of 16 rings with a core all 640 cores vanish; without cores the holes are 43% larger; without holes all come back exactly.
# No warning, and no issue that names it was found. (The array is made of width by height; OpenCV gives a hole's outline by the pixels around it, which are
# filled with 0, and all holes are cleared after all outlines are filled.)
# Exports of a project are read by it: of X-rays, ultrasound and CT that are not square one side has no lesion, and the islands in a bowel, vessel or cyst go.
# `wsss` does not use mdai.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.4.6" "opencv-python-headless==4.13.0.92" "pandas==2.3.3" "pydicom==3.0.2" "dicom2nifti==2.6.2" "nibabel==5.4.2" "matplotlib==3.11.2" \
  "requests==2.34.2" "arrow==1.4.0" "retrying==1.4.2" "tqdm==4.70.1" "PyYAML==6.0.4" "scikit-image==0.26.0" "pillow==11.3.0"
install --no-deps "mdai==0.16.0"
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from types import SimpleNamespace

import cv2
import numpy as np
from mdai.utils.common_utils import convert_mask_annotation_to_array, convert_mask_data

cv2.setNumThreads(1)


def there_and_back(mask):
    """As a row of an export has it: the width and the height of the image and the polygons."""
    row = SimpleNamespace(width=mask.shape[1], height=mask.shape[0], data=convert_mask_data(mask))
    return convert_mask_annotation_to_array(row).astype(np.uint8)


def rectangles(*places, size=(60, 60)):
    """Ones in each rectangle, or 0 in every second one if they are inside each other."""
    mask = np.zeros(size, np.uint8)
    for top, left, bottom, right in places:
        mask[top:bottom, left:right] = 1 - mask[top, left]
    return mask


print("mdai", version("mdai"))
known = True
for name, mask, left in (
    ("60 x 100, left and right", rectangles((10, 10, 30, 30), (10, 70, 30, 90), size=(60, 100)), 400),
    ("100 x 60, above and below", rectangles((10, 10, 30, 30), (70, 10, 90, 30), size=(100, 60)), 400),
    ("60 x 60, two", rectangles((10, 10, 30, 30), (35, 35, 55, 55)), 800),
    ("a hole of 14 x 14 in 40 x 40", rectangles((10, 10, 50, 50), (20, 20, 34, 34)), 1600 - 14 * 14 - 4 * 14),
    ("a ring and a square in its hole", rectangles((5, 5, 55, 55), (15, 15, 45, 45), (22, 22, 38, 38)), 2500 - 30 * 30 - 4 * 30),
):
    back = there_and_back(mask)
    print(f"{name}: expected {mask.shape} with {mask.sum()} pixels, seen {back.shape} with {back.sum()}")
    known &= back.shape == mask.shape[::-1] and back.sum() == left

random = np.random.default_rng(0)
cells = gone = 0
for number in range(40):
    mask = np.zeros((60, 100), np.uint8)
    places = [(20 * (cell // 5) + 2, 20 * (cell % 5) + 2, *random.integers(6, 16, 2)) for cell in range(15)]
    for y, x, height, width in places:
        mask[y : y + height, x : x + width] = 1
    if number % 2:
        mask, places = mask.T.copy(), [(x, y, width, height) for y, x, height, width in places]
    back = there_and_back(mask)
    cells += len(places)
    gone += sum(not back[y : y + height, x : x + width].any() for y, x, height, width in places)
print(f"40 images of 60 x 100 or 100 x 60, {cells} cells: expected 0 gone, seen {gone}")

holes = larger = cores = lost = 0
for _ in range(40):
    mask, solid = np.zeros((80, 80), np.uint8), np.zeros((80, 80), np.uint8)
    places = []
    for ring in range(16):
        y, x, size = 20 * (ring // 4) + random.integers(1, 4), 20 * (ring % 4) + random.integers(1, 4), random.integers(11, 16)
        solid[y : y + size, x : x + size] = 1
        for inner in (0, 2, 4):
            mask[y + inner : y + size - inner, x + inner : x + size - inner] = inner != 2
        places.append((y + 4, x + 4, size - 8))
    known &= bool((there_and_back(solid) == solid).all())
    back = there_and_back(mask)
    cores += len(places)
    lost += sum(not back[y : y + size, x : x + size].any() for y, x, size in places)
    without = mask.copy()
    for y, x, size in places:
        without[y : y + size, x : x + size] = 0
    holes += int((solid - without).sum())
    larger += int((solid - there_and_back(without)).sum())
print(f"40 square images of rings with a core: of {cores} cores expected 0 gone, seen {lost}")
print(f"the rings without a core: {holes} pixels of holes, expected as many, seen {larger}, {100 * (larger / holes - 1):.0f}% more")
raise SystemExit(not (known and gone > 100 and lost == cores == 640 and larger > 1.2 * holes))
PYTHON
