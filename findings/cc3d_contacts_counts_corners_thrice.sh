#!/usr/bin/env bash
# cc3d (connected-components-3d) 4.1.1: contacts, asked for the number of neighbouring voxels of two labels, counts those at a corner up to three times.
# One would expect of surface_area=False, "a simple count of neighboring voxels", that each pair of voxels that touch counts once, wherever it lies, and that
# a slice has the same number however it is put into a volume.
# Seen with connectivity=26, the default: in the first and the last slice of the first axis two voxels that touch at a corner within the slice are 2, and 3
# if it is the only one. So a slice of 100 x 100, half label 1 and half label 2, has 694 contacts as (1, 100, 100), and 298, which is right, as (100, 100, 1):
# 100 faces and 198 corners. A volume of 10 x 10 x 10 has 784 if halved along the first axis, but 820 along the others; without the two slices it is
# right. Images of two dimensions, with connectivity=8, have 2 too many, 300.
# No warning. connectivity=18 and 6 are right, and so are surface areas, which are of faces alone, and which labels touch at all. So in 3.29.0 as well.
# (It seems that steps that would leave the volume along that axis lead beside the voxel instead, and are counted again.)
# Who joins pieces or compares cells by their contacts finds more of them at two sides of a tile, or wherever an image was made a volume of one slice by
# image[None].
# `wsss` does not use cc3d.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "connected-components-3d==4.1.1" "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from itertools import product

import cc3d
import numpy as np


def count(labels, connectivity):
    """The pairs of voxels that touch, one of label 1 and one of label 2."""
    reach, pairs = {6: 1, 18: 2, 26: 3}[connectivity], 0
    padded = np.pad(labels, 1)
    inner = tuple(slice(1, -1) for _ in labels.shape)
    for step in product((-1, 0, 1), repeat=3):
        if 0 < sum(map(abs, step)) <= reach:
            beside = np.roll(padded, step, (0, 1, 2))[inner]
            pairs += int(((labels == 1) & (beside == 2)).sum())
    return pairs


def halves(shape, axis):
    labels = np.ones(shape, np.uint32)
    np.moveaxis(labels, axis, 0)[shape[axis] // 2 :] = 2
    return labels


print("cc3d", version("connected-components-3d"))
seen = {}
for shape, axis in (((1, 100, 100), 1), ((1, 100, 100), 2), ((100, 100, 1), 0), ((100, 100, 1), 1), ((10, 10, 10), 0), ((10, 10, 10), 1), ((10, 10, 10), 2)):
    labels = halves(shape, axis)
    for connectivity in (26, 18, 6):
        expected = count(labels, connectivity)
        found = int(cc3d.contacts(labels, connectivity=connectivity, surface_area=False)[1, 2])
        if connectivity == 26:
            seen[shape, axis] = expected, found
        elif expected != found:
            seen[shape, axis, connectivity] = expected, found
    expected, found = seen[shape, axis]
    area = cc3d.contacts(labels)[1, 2]
    print(f"{shape} halved along axis {axis}: contacts expected {expected}, seen {found}; area {area:.0f}")
labels = halves((10, 10, 10), 1)
labels[[0, -1]] = 0
empty = count(labels, 26), int(cc3d.contacts(labels, surface_area=False)[1, 2])
print(f"without its first and last slice: expected {empty[0]}, seen {empty[1]}")
image = int(cc3d.contacts(halves((100, 100), 0), connectivity=8, surface_area=False)[1, 2])
print(f"image of (100, 100): contacts expected 298, seen {image}")
print("others than 26 that are wrong:", [key for key in seen if len(key) == 3])
raise SystemExit(
    list(seen.values()) != [(298, 694), (298, 694), (298, 298), (298, 298), (784, 784), (784, 820), (784, 820)]
    or empty[0] != empty[1]
    or image != 300
)
PYTHON
