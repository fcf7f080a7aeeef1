#!/usr/bin/env bash
# nyxus 0.11.0, features of labelled objects for microscopy: hull area, solidity and Nassenstein's diameter depend on where in the image an object lies.
# One would expect of SOLIDITY what the README says, "Ratio of pixels in the ROI common with its convex hull image", and of CONVEX_HULL_AREA "Area of ROI's
# convex hull": the same object has the same numbers wherever it lies; of ASPECT_RATIO what the docs define, the longer side of its box over the shorter.
# Seen, of a square of 10 x 10 pixels: hull area 81 and solidity 1.23 at the upper left corner, 126 and 0.79 five rows lower, 621 and 0.16 sixty rows lower.
# Of 30 random blobs, each at 16 places of an image of 400 x 400, all 30 differ from place to place: the mean solidity is 0.94 at the upper left corner and 0.22
# at the lower right. Of the 480 hull areas 63 are within 10% of scikit-image's. STAT_NASSENSTEIN_DIAM_MAX is up to 405 pixels, of blobs of 40 x 40 at most.
# Area, perimeter, axes, extent and circularity of all 30 are the same at all 16 places.
# ASPECT_RATIO is the width over the height, without what comes after the point: 0 for a box 20 high and 5 wide, 1 for one 10 high and 19 wide; of 30 boxes
# that of the square is right.
# No warning. The tracker knows that SOLIDITY can be above 1 and other faults of this version (equal-area diameter, Euler number), but not these. (The last side
# of the hull is added with the wrong sign, so that its distance from the origin counts.)
# Cells near the origin seem smooth, those far from it ragged: a classifier or a filter by solidity goes by the place.
# `wsss` does not use nyxus.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "nyxus==0.11.0" "numpy==2.4.6" "pandas==3.1.1" "scipy==1.17.1" "scikit-image==0.26.0" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from nyxus import Nyxus
from scipy.ndimage import binary_fill_holes, gaussian_filter, label
from skimage.morphology import convex_hull_image

SIZE = 400
SAME = ["AREA_PIXELS_COUNT", "PERIMETER", "MAJOR_AXIS_LENGTH", "MINOR_AXIS_LENGTH", "EXTENT", "CIRCULARITY"]
OTHER = ["CONVEX_HULL_AREA", "SOLIDITY", "STAT_NASSENSTEIN_DIAM_MAX"]
features = Nyxus(["*ALL_MORPHOLOGY*"], n_feature_calc_threads=1)


def blob(chance):
    """A random object without holes, cut out."""
    while True:
        pieces, _ = label(gaussian_filter(chance.standard_normal((60, 60)), 6) > 0.02)
        sizes = np.bincount(pieces.ravel())[1:]
        piece = binary_fill_holes(pieces == sizes.argmax() + 1)
        rows, columns = np.nonzero(piece)
        one = piece[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        if max(one.shape) <= 40 and one.sum() > 200:
            return one


def measured(objects):
    """Features of the objects, which are pixels and the upper left place of each, all in one image."""
    labels = np.zeros((SIZE, SIZE), np.uint16)
    for number, (pixels, row, column) in enumerate(objects, 1):
        labels[row : row + pixels.shape[0], column : column + pixels.shape[1]][pixels] = number
    return features.featurize(np.full_like(labels, 7), labels, ["image"], ["mask"])


print("nyxus", version("nyxus"))
known = True
square = np.ones((10, 10), bool)
for row in (0, 5, 60):
    (one,) = measured([(square, row, 0)]).to_dict("records")
    print(f"a square at row {row}: expected 81 or 100, seen {one['CONVEX_HULL_AREA']:g}; solidity expected 1, seen {one['SOLIDITY']:.2f}")
    known &= one["CONVEX_HULL_AREA"] == 81 + 9 * row

chance = np.random.default_rng(0)
places = [(row, column) for row in (0, 100, 200, 359) for column in (0, 100, 200, 359)]
same, differ, right, first, last, longest = 0, dict.fromkeys(OTHER, 0), 0, [], [], []
for _ in range(30):
    pixels = blob(chance)
    found = measured([(pixels, row, column) for row, column in places])
    same += all(np.ptp(found[name]) < 0.01 for name in SAME)
    for name in OTHER:
        differ[name] += bool(np.ptp(found[name]) > 0.01)
    padded = np.pad(pixels, 1)
    lattice = int(convex_hull_image(padded, offset_coordinates=False).sum())
    right += int((abs(found["CONVEX_HULL_AREA"] - lattice) / lattice < 0.1).sum())
    first.append(found["SOLIDITY"].iloc[0])
    last.append(found["SOLIDITY"].iloc[-1])
    longest.append(found["STAT_NASSENSTEIN_DIAM_MAX"].max())
print(f"30 blobs at 16 places: {', '.join(SAME)} the same at all, of {same}")
print(f"  different from place to place: expected 0, seen {differ}")
print(f"  hull areas within 10% of scikit-image's: expected 480 of 480, seen {right}")
print(f"  mean solidity at the upper left corner {np.mean(first):.2f}, at the lower right {np.mean(last):.2f}")
print(f"  Nassenstein's diameter: expected at most 57, seen up to {max(longest):.0f}")
known &= same == 30 and differ["CONVEX_HULL_AREA"] == differ["SOLIDITY"] == 30 and differ["STAT_NASSENSTEIN_DIAM_MAX"] > 10
known &= right < 100 and np.mean(first) > np.mean(last) + 0.4 and max(longest) > 300

sides = [(20, 5), (10, 19), (10, 10), *chance.integers(3, 40, (27, 2)).tolist()]
ratios = [measured([(np.ones(one, bool), 3, 3)])["ASPECT_RATIO"].item() for one in sides]
wanted = [max(one) / min(one) for one in sides]
print(f"ASPECT_RATIO of boxes of {sides[:3]}: expected {wanted[:3]}, seen {ratios[:3]}; of 30 right {sum(abs(a - b) < 0.01 for a, b in zip(ratios, wanted))}")
known &= ratios == [width // height for height, width in sides]
raise SystemExit(not known)
PYTHON
