#!/usr/bin/env bash
# centrosome 1.3.4, CellProfiler's image processing as a library: granulometry_filter keeps parts of objects that are larger than asked for, and loses the
# middle of those it should keep.
# One would expect of filter.granulometry_filter(image, min_radius, max_radius) what its docs say, "Enhances bright structures within a min and max radius using
# a rolling ball filter": objects of these sizes stay, smaller and larger ones go, as enhance_dark_holes beside it does with the same image turned dark for
# bright.
# Seen, of discs of radius 2, 5 and 12, for radius 3 to 7: 0%, 31% and 54% of their brightness, where SciPy's openings give 0%, 75% and 12%, and
# enhance_dark_holes 0%, 100% and 0%. For 1 to 3 the disc of radius 12 keeps 41%, for 8 to 14 only 18%. Of 20 images with 240 discs, for 4 to 8: all 81 of
# radius 10 and more keep pixels of full brightness, and of the 90 that should stay none is whole; enhance_dark_holes leaves just those 90, whole.
# No warning; the request for it in CellProfiler's tracker does not name it. (What is eroded i times is dilated once, not i times, so each round is no opening,
# and the difference of two rounds is a ring, i pixels inside the border of any object.)
# Spots of a size are to be found before a threshold: each larger nucleus, fold or bubble then has a bright ring, which becomes an object, and spots become
# rings.
# `wsss` does not use centrosome.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "centrosome==1.3.4" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" "contourpy==1.3.3" \
  "matplotlib==3.10.8" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from itertools import pairwise

import numpy as np
from centrosome.filter import enhance_dark_holes, granulometry_filter
from scipy.ndimage import grey_opening


def disc(shape, y, x, radius):
    rows, columns = np.indices(shape)
    return np.hypot(rows - y, columns - x) <= radius


def openings(image, least, most):
    """The greatest difference of successive openings, by diamonds of these radii."""
    opened = []
    for radius in range(least, most + 2):
        rows, columns = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
        opened.append(grey_opening(image, footprint=abs(rows) + abs(columns) <= radius, mode="constant"))
    return np.max([one - next_one for one, next_one in pairwise(opened)], axis=0)


print("centrosome", version("centrosome"))
radii, known = (2, 5, 12), True
discs = [disc((80, 160), 40, x, radius) for x, radius in zip((20, 60, 110), radii)]
image = np.any(discs, axis=0).astype(float)
wanted = {(1, 3): [100, 84, 41], (3, 7): [0, 31, 54], (8, 14): [0, 0, 18]}
for (least, most), values in wanted.items():
    names = {"granulometry_filter": granulometry_filter(image, least, most), "SciPy's openings": openings(image, least, most)}
    names["enhance_dark_holes"] = enhance_dark_holes(1 - image, least, most)
    found = {name: [round(100 * float(result[one].mean())) for one in discs] for name, result in names.items()}
    right = [100 * (least <= radius <= most) for radius in radii]
    print(f"radius {least} to {most}, discs of radius {radii}: expected {right} % of their brightness, seen {found}")
    known &= found["granulometry_filter"] == values and found["enhance_dark_holes"] == right
    known &= all(abs(a - b) <= 25 for a, b in zip(found["SciPy's openings"], right))

random, kinds = np.random.default_rng(0), {"smaller": 0, "in range": 0, "larger": 0}
seen = {name: {"smaller, left": 0, "in range, whole": 0, "larger, left": 0} for name in ("granulometry_filter", "enhance_dark_holes")}
for _ in range(20):
    image, objects = np.zeros((132, 176)), []
    for place in range(12):
        radius = int(random.choice([1, 2, 3, 5, 6, 7, 10, 12, 15]))
        y, x = 44 * (place // 4) + 22 + random.integers(-4, 5), 44 * (place % 4) + 22 + random.integers(-4, 5)
        one = disc(image.shape, y, x, radius)
        objects.append((radius, one))
        image[one] = 1
    results = {"granulometry_filter": granulometry_filter(image, 4, 8), "enhance_dark_holes": enhance_dark_holes(1 - image, 4, 8)}
    for radius, one in objects:
        kind = "smaller" if radius < 4 else "larger" if radius > 8 else "in range"
        kinds[kind] += 1
        for name, result in results.items():
            if kind == "in range":
                seen[name]["in range, whole"] += bool(result[one].min() == 1)
            else:
                seen[name][f"{kind}, left"] += bool(result[one].max() == 1)
print(f"20 images, 240 discs, radius 4 to 8: {kinds}; expected none left but those in range, whole; seen {seen}")
known &= seen["enhance_dark_holes"] == {"smaller, left": 0, "in range, whole": kinds["in range"], "larger, left": 0}
known &= seen["granulometry_filter"] == {"smaller, left": 0, "in range, whole": 0, "larger, left": kinds["larger"]}
raise SystemExit(not known)
PYTHON
