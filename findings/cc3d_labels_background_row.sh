#!/usr/bin/env bash
# cc3d (connected-components-3d) 4.1.1: with connectivity=8 it gives background pixels of a binary image labels, in one row a quarter of the way down.
# One would expect what SciPy's label and its own README say: the components of the mask, numbered from 1 to N, and 0 where the mask is empty.
# Seen, for images of bool whose rows are of an odd length and whose number of rows, divided by 4, leaves 0 or 3 (100 x 101, 99 x 99, 480 x 641): if anything
# lies at the right end of the last rows, stray pixels at the left of row 25 (120) bear numbers, some of other objects, some above N. An object of 480
# pixels at the lower edge so gets 500 and a box of 75 rows for its 12, largest_k gives the stray pixels too, and of 20 masks of random blobs 6 are wrong.
# No warning; other sizes are right, and so are bytes of 0 and 1, unless binary_image=True is given. In Fortran's order rows and columns change places.
# (It keeps a label for each 2 x 2 pixels at the front of the result, and begins to overwrite these at a quarter of it, where an odd length needs more.)
# So since 3.27.0, which brought that method; 3.26.1 and connectivity 4 or the default, 26, are right.
# Who counts or measures cells or lesions per component, or keeps the largest, gets areas, boxes and centres that are wrong, and objects that are none.
# `wsss` does not use cc3d.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "connected-components-3d==4.1.1" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import cc3d
import numpy as np
from scipy import ndimage


def stray(mask, **how):
    """The background pixels that get a label; all others keep the mask."""
    labels = cc3d.connected_components(mask, **{"connectivity": 8, **how})
    assert (labels[mask > 0] > 0).all()
    return np.argwhere((labels > 0) & ~(mask > 0))


print("cc3d", version("connected-components-3d"))
mask = np.zeros((100, 101), bool)
mask[12:22, 5:40] = mask[19:34, 60:80] = mask[50:56, 20:26] = mask[88:, 56:96] = True
known, count = ndimage.label(mask, np.ones((3, 3)))
labels, seen_count = cc3d.connected_components(mask, connectivity=8, return_N=True)
sizes, seen_sizes = np.bincount(known.ravel())[1:].tolist(), np.bincount(labels.ravel())[1:].tolist()
box, seen_box = ndimage.find_objects(known)[3], cc3d.statistics(labels)["bounding_boxes"][4]
kept = int((cc3d.largest_k(mask, 1, connectivity=8) > 0).sum())
print(f"sizes of the {count} objects: expected {sizes} (SciPy), seen {seen_sizes}; the largest alone: expected {max(sizes)}, seen {kept}")
print(f"rows and columns of the last: expected {box}, seen {seen_box}")
others = {
    "connectivity 4": stray(mask, connectivity=4),
    "bytes": stray(mask.astype(np.uint8)),
    "one column less": stray(mask[:, :-1]),
    "bytes, binary_image": stray(mask.astype(np.uint8), binary_image=True),
}
print("stray pixels, expected 0:", {name: len(places) for name, places in others.items()})

wrong = {}
for shape in ((100, 101), (101, 101), (100, 100), (480, 641)):
    wrong[shape], highest = 0, []
    for seed in range(20):
        blobs = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
        blobs = blobs > np.quantile(blobs, 0.7)
        places = stray(blobs)
        wrong[shape] += len(places) > 0
        assert set(places[:, 0].tolist()) <= {shape[0] // 4}
        found, top = cc3d.connected_components(blobs, connectivity=8, return_N=True)
        assert top == ndimage.label(blobs, np.ones((3, 3)))[1]
        highest.append((int(top), int(found.max())))
    over = sum(top < largest for top, largest in highest)
    print(f"masks of {shape} with stray pixels: expected 0 of 20, seen {wrong[shape]}; with numbers above N: expected 0, seen {over}")
raise SystemExit(
    (count, seen_count, sizes, seen_sizes, kept) != (4, 4, [350, 300, 36, 480], [350, 300, 36, 500], 500)
    or (box[0], seen_box[0]) != (slice(88, 100), slice(25, 100))
    or [len(places) for places in others.values()] != [0, 0, 0, 20]
    or not (wrong[100, 101] and wrong[480, 641])
    or wrong[101, 101] + wrong[100, 100] != 0
)
PYTHON
