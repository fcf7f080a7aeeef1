#!/usr/bin/env bash
# tinybrain 1.7.0, which makes smaller copies of images and label volumes: labels halved by (2, 2, 2) come out in pieces and elsewhere, if they lie in memory
# as NumPy lays them by itself (C's order).
# One would expect what its README says of downsample_segmentation, "mode pooling operations [...] including in three dimensions": of each 2 x 2 x 2 voxels the
# label that most of them have, however the array lies in memory, which the README names for the speed of averages alone.
# Seen, of a block and a ball in 64 x 96 x 32 voxels: four pieces of each, nearly twice as long as they should be; the ball's box goes from 3 to 29 along
# the first axis and should go from 17 to 27; of 24,576 voxels 5,763 are wrong. No warning. So for all four widths of whole numbers, with sparse=True, in
# volumes of one slice, and at the further levels of num_mips, which are made of the first.
# The same array in Fortran's order (np.asfortranarray) is right, and so are factors of (2, 2, 1) and (4, 4, 4), and the averages of (2, 2, 2), in both.
# (The others take the strides or copy; this one takes the memory as if it were Fortran's.)  So since 1.3.2 at least.
# Who builds a pyramid of labels, or halves them to measure or train at less resolution, gets objects that no longer lie where the image shows them.
# `wsss` does not use tinybrain.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "tinybrain==1.7.0" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import tinybrain
from scipy import ndimage


def wrong(labels, halved, factor=(2, 2, 2)):
    """The voxels whose label is not among the most frequent ones of what they stand for."""
    parts = [labels[i :: factor[0], j :: factor[1], k :: factor[2]] for i, j, k in np.ndindex(factor)]
    counts = np.stack([sum((part == label).astype(int) for part in parts) for label in range(3)])
    return int((np.take_along_axis(counts, halved[None].astype(int), 0)[0] != counts.max(0)).sum())


def halve(labels, factor=(2, 2, 2), **how):
    return tinybrain.downsample_segmentation(labels, factor=factor, **how)[0]


labels = np.zeros((64, 96, 32), np.uint32)
labels[8:40, 10:40, 4:28] = 1
labels[((np.indices(labels.shape) - np.array([44, 66, 16])[:, None, None, None]) ** 2).sum(0) < 144] = 2
assert labels.flags["C_CONTIGUOUS"]
plain, fortran = halve(labels), halve(np.asfortranarray(labels))
print("tinybrain", version("tinybrain"))
pieces = {}
for name, halved in (("C's order", plain), ("Fortran's order", fortran)):
    pieces[name] = [ndimage.label(halved == label)[1] for label in (1, 2)]
    rows = ndimage.find_objects(halved.astype(int))[1][0]
    print(f"{name}: pieces of the two objects expected [1, 1], seen {pieces[name]}; the ball's rows expected 17 to 27, seen {rows.start} to {rows.stop - 1}")
    pieces[name] += [rows.start, rows.stop - 1]
seen = {
    "C's order": wrong(labels, plain),
    "C's order, bytes": wrong(labels, halve(labels.astype(np.uint8))),
    "C's order, int64": wrong(labels, halve(labels.astype(np.int64))),
    "Fortran's order": wrong(labels, fortran),
    "C's order, (2, 2, 1)": wrong(labels, halve(labels, (2, 2, 1)), (2, 2, 1)),
}
for name, count in seen.items():
    print(f"{name}: wrong voxels expected 0, seen {count}")
sparse = np.array_equal(halve(labels, sparse=True), halve(np.asfortranarray(labels), sparse=True))
averages = [tinybrain.downsample_with_averaging(a.astype(np.float32), (2, 2, 2))[0] for a in (labels, np.asfortranarray(labels))]
print(f"with sparse=True the orders should agree: {sparse}; averages do: {np.array_equal(*averages)}")
raise SystemExit(
    pieces != {"C's order": [4, 4, 3, 29], "Fortran's order": [1, 1, 17, 27]}
    or list(seen.values()) != [5763, 5763, 5763, 0, 0]
    or sparse
    or not np.array_equal(*averages)
)
PYTHON
