#!/usr/bin/env bash
# eo-learn 1.5.7, machine learning on satellite images by Sinergise: erosion with its default radius of 1 changes nothing, and disks and rectangles are others.
# One would expect of ErosionTask what its docs say, "Radius of the erosion disk (in pixels). Default is set to `1`": one pixel less at each side of a field,
# two with 2; of get_disk(radius) a disk of that "Radius of disk"; of get_rectangle(width, height) its "Width of rectangle" from left to right.
# Seen, of 20 random maps of 9 fields in 5 classes: by default, and with a radius of 1, not one pixel is taken away in any of them, where a disk of radius 1
# takes 25 to 27%. With 2 each field loses a row above and a column at the left, none below and at the right; with 4 two and one: fields move. With 3 the
# result is one of 1, with 5 one of 2, in area too: 46 to 50% less where 88 to 93% are expected.
# get_disk(1) is a single pixel, get_disk(2) has 2 x 2, get_disk(3) 3 x 3 pixels: dilation with 1 does nothing, and with 2 fields grow below and at the right
# alone. And get_rectangle(7, 1) is 7 pixels high and one wide.
# No warning, and its tracker does not name it. (OpenCV's element is given the radius as its size, and height and width in the other order.)
# Erosion leaves out mixed pixels at the borders of fields before training: by default all of them stay in, with even radii those of two sides.
# `wsss` does not use eo-learn.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "eo-learn==1.5.7" "numpy==2.4.6" "opencv-python-headless==5.0.0.93" \
  "geopandas==0.14.4" "rasterio==1.4.4" "fiona==1.10.1" "sentinelhub==3.12.0" "shapely==2.2.0" "fs==2.4.16" "setuptools==65.5.0" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from eolearn.core import EOPatch, FeatureType
from eolearn.geometry import ErosionTask, MorphologicalFilterTask, MorphologicalOperations, MorphologicalStructFactory
from sentinelhub import CRS, BBox

FEATURE = (FeatureType.MASK_TIMELESS, "fields")


def fields(seed):
    """Rectangles of five classes on a background of 0, apart from each other and from the border, and their places."""
    random = np.random.default_rng(seed)
    labels, places = np.zeros((90, 90), np.uint8), []
    for place in range(9):
        top, left = (int(n) for n in 30 * np.array(divmod(place, 3)) + random.integers(5, 8, 2))
        height, width = (int(n) for n in random.integers(12, 18, 2))
        labels[top : top + height, left : left + width] = random.integers(1, 6)
        places.append((top, top + height, left, left + width))
    return labels, places


def patch(labels):
    made = EOPatch(bbox=BBox((0, 0, 900, 900), CRS.UTM_33N))
    made[FEATURE] = labels[..., None]
    return made


def eroded(labels, **radius):
    return ErosionTask((*FEATURE, "eroded"), **radius).execute(patch(labels))[FeatureType.MASK_TIMELESS, "eroded"][..., 0]


def dilated(labels, element):
    task = MorphologicalFilterTask(FEATURE, morph_operation=MorphologicalOperations.DILATION, struct_elem=element)
    return task.execute(patch(labels))[FEATURE][..., 0]


def right(labels, radius):
    """A pixel stays if all pixels of the image within the radius are of its class."""
    kept = np.ones(labels.shape, bool)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if np.hypot(dy, dx) <= radius:
                kept &= np.roll(labels, (dy, dx), (0, 1)) == labels
    return np.where(kept, labels, 0)


def lost(places, after):
    """What fields lose above, below, left and right; less than 0 if they grow."""
    found = set()
    for top, bottom, left, right in places:
        y, x = np.nonzero(after[top - 4 : bottom + 4, left - 4 : right + 4])
        found.add((int(y.min()) - 4, bottom - top - 1 + 4 - int(y.max()), int(x.min()) - 4, right - left - 1 + 4 - int(x.max())))
    return found


print("eo-learn", version("eo-learn"))
known = True
maps = [fields(seed) for seed in range(20)]
for radius in (None, 1, 2, 3, 4, 5):
    given = {} if radius is None else {"disk_radius": radius}
    seen = [eroded(labels, **given) for labels, _ in maps]
    wanted = [right(labels, radius or 1) for labels, _ in maps]
    share = [round(100 * float(1 - (some > 0).sum() / (labels > 0).sum())) for part in (wanted, seen) for some, (labels, _) in zip(part, maps)]
    equal = sum(np.array_equal(a, b) for a, b in zip(seen, wanted))
    sides = set.union(*(lost(places, after) for (_, places), after in zip(maps, seen)))
    print(
        f"radius {radius or 'by default'}: expected 20 maps right, {min(share[:20])} to {max(share[:20])}% less, {radius or 1} at each side; "
        f"seen {equal}, {min(share[20:])} to {max(share[20:])}% less, above, below, left and right {sides}"
    )
    known &= equal == 0 and sides == {{1: (0,) * 4, 2: (1, 0, 1, 0), 3: (1,) * 4, 4: (2, 1, 2, 1), 5: (2,) * 4}[radius or 1]}

for radius in (1, 2, 3):
    element = MorphologicalStructFactory.get_disk(radius)
    seen = [dilated((labels > 0).astype(np.uint8), element) for labels, _ in maps]
    same = sum(np.array_equal(after, labels > 0) for after, (labels, _) in zip(seen, maps))
    sides = set.union(*(lost(places, after) for (_, places), after in zip(maps, seen)))
    size = element.shape
    print(f"get_disk({radius}): expected {(2 * radius + 1,) * 2}, seen {size}; dilated with it {same} of 20 stay as they are, lose by side {sides}")
    known &= size == (radius, radius) and same == (20 if radius == 1 else 0)
seen = MorphologicalStructFactory.get_rectangle(width=7, height=1).shape
print(f"get_rectangle(width=7, height=1): expected rows and columns (1, 7), seen {seen}")
known &= seen == (7, 1)
raise SystemExit(not known)
PYTHON
