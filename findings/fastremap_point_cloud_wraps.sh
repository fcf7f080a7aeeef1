#!/usr/bin/env bash
# fastremap 1.21.0, which renumbers and looks through label images: point_cloud tells the wrong places of what lies beyond 65,535 pixels.
# One would expect what its docs say, "a mapping from labels to their (x,y,z) position in the image", in images of any size that it takes, or an error.
# Seen, of a nucleus of 20 x 20 pixels across row 65,536 of an image of 70,000 x 40: half of it lies in the rows 0 to 9, so its box has 65,536 rows and its
# centre is in row 32,768; of one at row 69,000 all is at row 3,464. No warning. So for each axis, in both orders, in images and volumes, with shell=True.
# Up to 65,536 pixels along each axis it is right. (The places are uint16, as the docs state of what is returned; larger ones lose what is above.)
# fastremap.indices of the same label is right, and so is SciPy.
# Who gets places, boxes or crops of objects so from whole slides, which are often 100,000 pixels wide, or from mosaics of aerial images, looks elsewhere.
# `wsss` does not use fastremap.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "fastremap==1.21.0" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import fastremap
import numpy as np
from scipy import ndimage


def rows(places, axis=0):
    """First and last row, and the middle of all."""
    along = np.asarray(places)[:, axis].astype(int)
    return int(along.min()), int(along.max()), float(along.mean())


def known(labels, label, axis=0):
    found = ndimage.find_objects(labels)[label - 1][axis]
    return found.start, found.stop - 1, float(ndimage.center_of_mass(labels == label)[axis])


print("fastremap", version("fastremap"))
labels = np.zeros((70_000, 40), np.uint8)
labels[100:120, 10:30], labels[65_526:65_546, 10:30], labels[69_000:69_020, 10:30] = 1, 2, 3
volume = np.zeros((3, 70_000, 3), np.uint8)
volume[1, 65_526:65_546, 1] = 1
images = {
    "image": (labels, 0, {}),
    "Fortran's order": (np.asfortranarray(labels), 0, {}),
    "turned": (np.ascontiguousarray(labels.T), 1, {}),
    "volume": (volume, 1, {}),
    "volume, shell": (volume, 1, {"shell": True}),
}
seen = {}
for name, (array, axis, how) in images.items():
    places = fastremap.point_cloud(array, **how)
    for label in sorted(set(places) - {0}):
        expected, found = known(array, label, axis), rows(places[label], axis)
        print(f"{name}, label {label}: first row, last row and middle expected {expected}, seen {found}")
        seen[name, label] = expected, found
indices = rows(np.transpose(np.unravel_index(fastremap.indices(labels.ravel(), 2), labels.shape)))
print("indices, label 2:", indices)
right, wrong = (65_526, 65_545, 65_535.5), (0, 65_535, 32_767.5)
expected = {("volume", 1): (right, wrong), ("volume, shell", 1): (right, wrong)}
for name in ("image", "Fortran's order", "turned"):
    expected |= {(name, 1): ((100, 119, 109.5),) * 2, (name, 2): (right, wrong), (name, 3): ((69_000, 69_019, 69_009.5), (3_464, 3_483, 3_473.5))}
raise SystemExit(seen != expected or indices != right)
PYTHON
