#!/usr/bin/env bash
# mask2bbox 0.0.28, boxes and crops of cells from label images: an id brings the pixels of another cell, and cells at the lower and right edge count as inside.
# One would expect of get_pixels_from(mask_id), by its docs "Mask ID of the bounding box of interest", the cell of that id, the whole of it; of
# remove_from_edge, which "removes the bounding boxes that are on the edge of the image", all that touch one of the four edges.
# Seen, of cells 1, 2, 3, 5, 7 and 9: id 5 gives the pixels of cell 7, 1 to 3 are right, and 7 and 9 raise an error. Of 20 images with cells whose ids have
# gaps, as after a filter for size, 87% of the ids that are answered at all bring another cell.
# Seen besides: of four cells, each at an edge, remove_from_edge keeps the two at the lower and the right edge; of the images' cells at the lower or right edge
# all stay, if not cut at the upper or left edge as well. And each crop, also those that extract writes to files, lacks the last row and column, so that a cell
# one pixel wide is an empty crop; the areas and sides are that much too small, 16 for a square of 25, 0 for a pixel.
# No warning; its readme and docs do not name it, nor does its tracker. (The id less one is taken as the place in the list; a box's end is its last pixel, but
# is used as the one after.)  So in 0.0.20 as well. After expand, whose ends are such, crops lack a row and a column at one side of the margin only.
# Crops are saved under the cell's id and joined with its measurements by it, so that a classifier learns from other cells; cut cells stay at two edges.
# `wsss` does not use mask2bbox.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mask2bbox==0.0.28" "numpy==2.4.6" "scikit-image==0.26.0" "matplotlib==3.10.8" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from mask2bbox._bboxes import BBoxes
from skimage import io


def boxes(labels):
    io.imsave("labels.tif", labels, check_contrast=False)
    return BBoxes.from_mask("labels.tif")


def cell(found, number):
    """The ids in the crop of a cell and the crop's shape, if there is one."""
    try:
        crop = found.get_pixels_from(number)
    except IndexError:
        return None
    return [int(value) for value in np.unique(crop) if value], crop.shape


print("mask2bbox", version("mask2bbox"))
labels = np.zeros((40, 50), np.uint16)
labels[:5, 10:15] = 1  # at the upper edge
labels[10:15, :5] = 2  # left
labels[35:, 20:26] = 3  # lower
labels[20:25, 45:] = 5  # right
labels[20:24, 20:26] = 7
labels[30, 30] = 9
found = boxes(labels)
seen = {number: cell(found, number) for number in (1, 2, 3, 5, 7, 9)}
print("cells and their crops: expected", {n: ([n], (np.ptp(np.nonzero(labels == n), axis=1) + 1).tolist()) for n in seen})
print("seen", seen)
known = seen == {1: ([1], (4, 4)), 2: ([2], (4, 4)), 3: ([3], (4, 5)), 5: ([7], (3, 5)), 7: None, 9: None}
areas = dict(found.get_areas().tolist())
print(f"areas of the boxes: expected {{1: 25, 2: 25, 3: 30, 5: 25, 7: 24, 9: 1}}, seen {areas}")
inside = found.remove_from_edge().identities().tolist()
print(f"cells not at an edge: expected [7, 9], seen {inside}")
known &= areas == {1: 16, 2: 16, 3: 20, 5: 16, 7: 15, 9: 0} and inside == [3, 5, 7, 9]

random = np.random.default_rng(0)
answered = other = upper = kept_upper = lower = kept_lower = 0
for _ in range(20):
    labels = np.zeros((80, 80), np.uint16)
    names = np.sort(random.choice(np.arange(1, 31), 16, replace=False))
    for name, place in zip(names, range(16)):
        top, left = 20 * (place // 4) + random.integers(0, 11), 20 * (place % 4) + random.integers(0, 11)
        labels[top : top + 10, left : left + 10] = name
    found = boxes(labels)
    for name in names.tolist():
        crop = cell(found, name)
        answered += crop is not None
        other += crop is not None and crop[0] != [name]
    kept = found.remove_from_edge().identities().tolist()
    first, last = set(np.r_[labels[0], labels[:, 0]].tolist()) - {0}, set(np.r_[labels[-1], labels[:, -1]].tolist()) - {0}
    upper, kept_upper = upper + len(first), kept_upper + len(first & set(kept))
    lower, kept_lower = lower + len(last - first), kept_lower + len((last - first) & set(kept))
print(f"{answered} ids of cells answered: expected 0 with another cell, seen {other}, {100 * other / answered:.0f}%")
print(f"cells at the upper or left edge: expected 0 of {upper} kept, seen {kept_upper}; lower or right only: expected 0 of {lower}, seen {kept_lower}")
raise SystemExit(not (known and other / answered > 0.5 and kept_upper == 0 and lower > 5 and kept_lower == lower))
PYTHON
