#!/usr/bin/env bash
# imea 0.3.5, 53 measures of the shapes of particles and cells: diameter_circumscribing_circle and diameter_inscribing_circle depend on where an object lies.
# One would expect what its docs say, "rotation and translation invariant shape measurements": twice the largest and the least distance from an object's
# centroid to its contour, wherever it lies, so of a disk both near its diameter; and of a circle within an object that it is not wider than the object.
# Seen, of one disk of 79 pixels across: in the upper left corner 79.9 and 78, 60 pixels to the right 198.6 and 42, in the middle of 400 x 400 pixels 534.6 and
# 376.2. An ellipse of 39 x 119 has an inscribing circle of 267.3. The other 51 measures of the disk are the same at each place. No warning.
# (The centroid is taken in the whole image, the contour in what is cut out around the object.)
# Seen, with a spatial_resolution_xy of 0.5 mm: all lengths are half as long, as they should be, but the five standard deviations of lengths, feret_std and so
# on, are in pixels still, where the docs say "to return values in metric values [mm]".
# So since 0.3.0, of March 2021, by its code.
# Who sorts particles, seeds or cells by these, or trains a classifier on all measures, sorts them by their places in the image too.
# `wsss` does not use imea.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "imea==0.3.5" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" "pandas==3.1.1" \
  "opencv-python==5.0.0.93" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import imea
import numpy as np
from scipy.ndimage import binary_erosion, label

names = ["diameter_circumscribing_circle", "diameter_inscribing_circle"]


def ellipse(shape, centre, radii):
    y, x = np.indices(shape)
    return ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1


def known(image):
    """Twice the largest and the least distance from the centroid to a pixel of the border."""
    border = np.argwhere(image & ~binary_erosion(image))
    distances = np.hypot(*(border - np.argwhere(image).mean(0)).T)
    return 2 * distances.max(), 2 * distances.min()


def measure(image, resolution=1):
    assert label(image)[1] == 1
    return imea.shape_measurements_2d(image, spatial_resolution_xy=resolution).iloc[0]


print("imea", version("imea"))
places, seen, others = [(39, 39), (39, 99), (99, 39), (200, 200), (359, 359)], [], []
for place in places:
    disk = ellipse((400, 400), place, (40, 40))
    found = measure(disk)
    seen.append(found[names].to_numpy().round(1).tolist())
    others.append(found.drop(names).to_numpy())
    print(f"disk at {place}: expected about {np.round(known(disk), 1).tolist()}, seen {seen[-1]}")
same = all(np.allclose(one, others[0]) for one in others)
print(f"the other {len(others[0])} measures are the same at all places: {same}")
flat = ellipse((200, 300), (120, 210), (20, 60))
wide = measure(flat)
print(f"ellipse: expected about {np.round(known(flat), 1).tolist()}, seen {wide[names].to_numpy().round(1).tolist()}")
fine = measure(flat, 0.5)
shares = {name: round(float(fine[name] / wide[name]), 3) for name in wide.index if wide[name] and not name.startswith(("n_", "fractal"))}
lengths = [name for name, share in shares.items() if share == 0.5]
areas = [name for name, share in shares.items() if share == 0.25]
rest = [name for name, share in shares.items() if share == 1]
print(f"with 0.5 mm a pixel: {len(lengths)} lengths by 0.5, {len(areas)} areas by 0.25, expected of the rest 0.5, seen 1: {', '.join(rest)}")
raise SystemExit(
    not same
    or max(abs(np.subtract(seen[0], known(ellipse((400, 400), places[0], (40, 40)))))) > 4
    or seen[3][1] < 2 * seen[0][1]
    or wide[names[1]] < 2 * 39
    or len(rest) != 5
    or not all(name.endswith("_std") for name in rest)
    or len(lengths) + len(areas) + len(rest) != len(shares)
)
PYTHON
