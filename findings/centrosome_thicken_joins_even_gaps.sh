#!/usr/bin/env bash
# centrosome 1.3.4, CellProfiler's image processing as a library: thicken, which makes objects thicker up to one another, joins those an even number of pixels
# apart.
# One would expect of cpmorphology.thicken what its docs say, "Thicken the objects in an image where doing so does not connect them", and CellProfiler's of
# Thicken: "Dilates the exteriors of objects where that dilation does not 8-connect the object with another"; so as many objects afterwards as before.
# Seen, of two squares 1 to 8 pixels apart, thickened 10 times: with 1, 3, 5 or 7 pixels between them two objects, with 2, 4, 6 or 8 one. Of 20 images with 386
# objects, 8-connected, 370 are left after 1 round, 296 after 3 and 71 after 10; the same rule, pixel by pixel, keeps all 386. All 20 images lose objects.
# No warning; no issue that names it was found. (The text goes on: points "adjacent to uniquely labeled points" change. This is done for all points at once, by
# their 3 x 3 neighbours before the round: of a gap of two pixels each sees one object only, so both are filled.)
# Nuclei thickened to cells, or seeds to regions, flow together, half of all pairs by the luck of their distance: counts fall, and a cell gets its neighbour's
# area.
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

import numpy as np
from centrosome.cpmorphology import thicken
from scipy.ndimage import binary_dilation, label

AROUND = np.ones((3, 3), bool)


def objects(mask):
    """The number of objects, 8-connected."""
    return int(label(mask, AROUND)[1])


def scattered(seed):
    """Twenty squares of 3 x 3 pixels at random."""
    random = np.random.default_rng(seed)
    places = np.zeros((120, 140), bool)
    places[tuple(random.integers(8, 112, (20, 2)).T)] = True
    return binary_dilation(places, AROUND)


def one_by_one(mask, rounds):
    """The same rule, but each pixel that is filled counts for the next one at once."""
    labels = np.pad(label(mask, AROUND)[0], 1)
    for _ in range(rounds):
        old = labels > 0
        for y, x in np.argwhere(binary_dilation(old, AROUND) & ~old):
            if 0 < y < labels.shape[0] - 1 and 0 < x < labels.shape[1] - 1:
                near = set(labels[y - 1 : y + 2, x - 1 : x + 2].ravel().tolist()) - {0}
                labels[y, x] = near.pop() if len(near) == 1 else 0
    return labels[1:-1, 1:-1] > 0


print("centrosome", version("centrosome"))
seen = []
for gap in range(1, 9):
    mask = np.zeros((60, 60), bool)
    mask[25:30, 20:25] = mask[25:30, 25 + gap : 30 + gap] = True
    seen.append(objects(thicken(mask, iterations=10)))
print(f"two squares, 1 to 8 pixels apart: expected 2 objects, seen {seen}")
known = seen == [2, 1] * 4

images = [scattered(seed) for seed in range(20)]
before = [objects(image) for image in images]
rounds = {n: [objects(thicken(image, iterations=n)) for image in images] for n in (1, 3, 10)}
right = {n: [objects(one_by_one(image, n)) for image in images] for n in (1, 3, 10)}
sums = {n: sum(found) for n, found in rounds.items()}
wrong = {n: sum(now < was for now, was in zip(found, before)) for n, found in rounds.items()}
print(f"20 images: expected {sum(before)} objects after each number of rounds, pixel by pixel {[sum(found) for found in right.values()]}, seen {sums}")
print(f"images that lose objects: expected 0, seen {wrong}")
known &= list(right.values()) == [before] * 3 and list(wrong.values()) == [11, 20, 20] and sums[10] < 0.2 * sum(before)
raise SystemExit(not known)
PYTHON
