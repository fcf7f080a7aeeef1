#!/usr/bin/env bash
# mahotas 1.4.19, image processing for microscopy: euler, the number of objects less their holes, loses quarters of what touches the lower or the right edge.
# One would expect of euler what its docs say, "euler_nr : int", the "Euler number of image f", so 1 for one square wherever it lies, and with the default
# mode='constant', nothing beyond the edge, as scikit-image's euler_number has it, and as mahotas has it of the image with a frame of 0.
# Seen, of a square of 3 x 3 in 10 x 10: 1 inside, at the upper and the left edge; 0.5 at the lower or the right one, 0.25 in the lower right corner, and so
# for an image that is all 1. Four squares along the lower edge are 2 objects, eight along both edges 4; turned by 180 degrees they are 4 and 8. Of 60 random
# masks, connectivity 8 and 4, all 120 numbers are wrong, by up to 15.5, and 104 of them are no whole numbers. With a frame all are right.
# No warning; its tracker does not name it, and tutorials show numbers as 54.25 for a thresholded image. (Squares of 2 x 2 pixels are looked up, as many as
# there are pixels, where one row and one column more of them reach over the edge.) 'reflect', 'nearest' and 'mirror' lose quarters at all four edges.
# Crops and tiles have objects at their edges: counts of cells without labels, and tests of whether a mask is in one piece without a hole, fail there.
# `wsss` does not use mahotas.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "mahotas==1.4.19" "numpy==2.4.6" "scipy==1.17.1" \
  "scikit-image==0.26.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import mahotas
import numpy as np
from skimage.measure import euler_number


def squares(*corners):
    image = np.zeros((10, 10), bool)
    for y, x in corners:
        image[y : y + 3, x : x + 3] = True
    return image


def numbers(image):
    return int(euler_number(image, 2)), float(mahotas.euler(image))


print("mahotas", version("mahotas"))
known = True
for name, image, wrong in (
    ("inside", squares((3, 3)), 1),
    ("upper edge", squares((0, 3)), 1),
    ("left edge", squares((3, 0)), 1),
    ("lower edge", squares((7, 3)), 0.5),
    ("right edge", squares((3, 7)), 0.5),
    ("lower right corner", squares((7, 7)), 0.25),
    ("all of the image", np.ones((10, 10), bool), 0.25),
):
    right, seen = numbers(image)
    print(f"one object, {name}: expected {right}, seen {seen}, with a frame of 0 {mahotas.euler(np.pad(image, 1))}")
    known &= right == mahotas.euler(np.pad(image, 1)) == 1 and seen == wrong

four = np.hstack([squares((7, 3))] * 4)
eight = np.zeros((44, 44), bool)
for k in range(3, 40, 10):
    eight[41:, k : k + 3] = eight[k : k + 3, 41:] = True
for name, image, wrong in (("four at the lower edge", four, 2), ("eight at the lower and the right edge", eight, 4)):
    right, seen = numbers(image)
    print(f"{name}: expected {right}, seen {seen}; turned by 180 degrees {mahotas.euler(image[::-1, ::-1])}")
    known &= seen == wrong and right == mahotas.euler(image[::-1, ::-1])

wrong, broken, framed, off = 0, 0, 0, 0
for seed in range(60):
    chance = np.random.default_rng(seed)
    image = chance.random(chance.integers(20, 60, 2)) < chance.choice([0.3, 0.5, 0.7])
    for connectivity, steps in ((8, 2), (4, 1)):
        right, seen = int(euler_number(image, steps)), float(mahotas.euler(image, connectivity))
        wrong, broken, off = wrong + (seen != right), broken + (seen % 1 != 0), max(off, abs(seen - right))
        framed += mahotas.euler(np.pad(image, 1), connectivity) == right
print(f"60 random masks, connectivity 8 and 4: expected 0 wrong, seen {wrong}, by up to {off}, {broken} no whole numbers; with a frame {framed} right")
raise SystemExit(not (known and wrong > 100 and broken > 30 and framed == 120))
PYTHON
