#!/usr/bin/env bash
# photutils 3.0.0, Astropy's finding and measuring of sources in images: remove_border_labels with a border of no pixels removes every object.
# One would expect of border_width what its docs say, "The width of the border region in pixels", and "Labels within the defined border region will be
# removed": with 0 no region, and so nothing removed, as with 1 what touches the edge, with 2 what comes within a pixel of it.
# Seen, of three objects, one at the edge: with 2 and 1 the other two stay, with 0 none, not the one in the middle either, with partial_overlap=True and False.
# Of 30 random images with 20 objects each, detected by detect_sources, 0 keeps none of 600; with 1 to 5 all that lie far enough inside stay, no others.
# Seen besides: relabel_consecutive(start_label=200) of 60 objects in 8 bits makes one of them background, and three of them 1 to 3; its labels have a 0.
# In 16 bits, and where all numbers fit, it is right.
# No warning; its docs do not name either, and no issue that does was found. (The last 0 rows of an array are taken as its rows from -0 on, which are all.)
# Who sets the border by a number, as half a kernel or the share of overlap of tiles, and comes to 0, goes on with empty label maps.
# `wsss` does not use photutils.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "photutils==3.0.0" "astropy==8.0.2" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
XDG_CACHE_HOME=$here XDG_CONFIG_HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from photutils.segmentation import SegmentationImage, detect_sources
from scipy.ndimage import find_objects


def kept(labels, width, partial=True):
    """The labels that are left when a border is cleared."""
    image = SegmentationImage(labels.copy())
    image.remove_border_labels(width, partial_overlap=partial)
    return image.labels.tolist()


def inside(labels, width):
    """The labels whose box is that far from every edge, by SciPy."""
    boxes = enumerate(find_objects(labels), 1)
    return [k for k, box in boxes if box and all(one.start >= width and one.stop <= side - width for one, side in zip(box, labels.shape))]


print("photutils", version("photutils"))
three = np.zeros((20, 20), int)
three[:3, :3], three[5:8, 5:8], three[12:15, 10:13] = 1, 2, 3
known = True
for width, partial, expected, wanted in ((2, True, [2, 3], [2, 3]), (1, True, [2, 3], [2, 3]), (0, True, [1, 2, 3], []), (0, False, [1, 2, 3], [])):
    seen = kept(three, width, partial)
    print(f"border of {width}, partial_overlap={partial}: expected {expected}, seen {seen}")
    known &= seen == wanted and inside(three, width) == expected

none = every = right = 0
for seed in range(30):
    random = np.random.default_rng(seed)
    image = np.zeros((100, 125))
    for place in random.choice(20, 20, replace=False):
        y, x = 25 * (place // 5) + random.integers(0, 13), 25 * (place % 5) + random.integers(0, 13)
        image[y : y + random.integers(6, 13), x : x + random.integers(6, 13)] = 9
    labels = detect_sources(image, 1, n_pixels=4).data
    every += len(inside(labels, 0))
    none += len(kept(labels, 0))
    right += sum(kept(labels, width) == inside(labels, width) for width in range(1, 6))
print(f"random images: objects left with a border of 0: expected {every}, seen {none}; right with 1 to 5 pixels in {right} of 150")
known &= none == 0 and every > 500 and right == 150

objects = np.zeros((40, 40), int)
for k in range(60):
    y, x = 5 * (k // 8), 5 * (k % 8)
    objects[y : y + 3, x : x + 3] = k + 1
for dtype, start, wanted in ((np.uint8, 200, 59), (np.uint8, 196, 60), (np.uint16, 200, 60)):
    image = SegmentationImage(objects.astype(dtype))
    image.relabel_consecutive(start_label=start)
    left = np.unique(image.data[image.data > 0])
    print(f"60 objects of {np.dtype(dtype)}: expected 60 labels from {start}, seen {len(left)} from {left.min()}; 0 in its labels: {0 in image.labels}")
    known &= len(left) == wanted and (wanted == 60) == (left.min() == start) == (0 not in image.labels)
raise SystemExit(not known)
PYTHON
