#!/usr/bin/env bash
# fastremap 1.21.0, which renumbers labels of images and volumes: renumber(start=...) counts on in the type it was given, so numbers wrap, and objects become
# background.
# One would expect of start, "Start renumbering from this value", the numbers from there on, in a type that holds them: the result's type is chosen anew to fit,
# and scikit-image's relabel_sequential(offset=...) does so.
# Seen, of the labels 0 1 2 3 in bytes: from 254 on they are 254, 255 and 0; from 256 on 0, 1 and 2, though the result is of uint16 then; from 300 on 44, 45 and
# 46. The table that it gives says the same. So with uint16 at 65,536 (the type that cc3d gives for tiles of 120 x 120) and with int8 and int16 at half of that,
# where labels become negative. No warning.
# Seen, of 14,400 squares in tiles of 120 x 120, each labelled by itself in bytes, 225 in each, and numbered on by start: 255 numbers for 14,400, and
# 56 squares are background; of 72,900 in uint16: 65,535, and 1 is. With uint32 all is right.
# (The next number is kept in a variable of the input's type; the result is made wider after it has wrapped.)  So in 1.13.5 as well.
# Who labels a large image by tiles and numbers them on, to put them together, so joins objects that lie far apart and loses others.
# `wsss` does not use fastremap.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "fastremap==1.21.0" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import fastremap
import numpy as np
from scipy.ndimage import label
from skimage.segmentation import relabel_sequential


def squares(shape, step):
    image = np.zeros(shape, bool)
    for y in range(step // 4, shape[0], step):
        for x in range(step // 4, shape[1], step):
            image[y : y + step // 2, x : x + step // 2] = True
    return image


def number_on(image, kind, renumber):
    """Labels of an image by tiles of 120 x 120, each labelled by itself and numbered on from those before it."""
    whole, first = np.zeros(image.shape, np.int64), 1
    for y in range(0, image.shape[0], 120):
        for x in range(0, image.shape[1], 120):
            tile = np.s_[y : y + 120, x : x + 120]
            labels, count = label(image[tile])
            assert count <= np.iinfo(kind).max
            whole[tile] = renumber(labels.astype(kind), first)
            first += count
    return whole


def ours(labels, first):
    return fastremap.renumber(labels, start=first)[0]


def others(labels, first):
    return relabel_sequential(labels, offset=first)[0]


def count(image, kind, renumber):
    """How many numbers the objects have together, and how many objects became background."""
    labels = number_on(image, kind, renumber)
    objects, _ = label(image)
    return len(np.unique(labels[labels != 0])), len(np.unique(objects[(labels == 0) & image]))


print("fastremap", version("fastremap"))
seen = {}
for kind, starts in ((np.uint8, (253, 254, 256, 300)), (np.int8, (126, 200)), (np.uint16, (65534, 65536)), (np.int16, (32766,)), (np.uint32, (300, 65536))):
    for start in starts:
        labels = np.array([0, 1, 2, 3], kind)
        known = [0, start, start + 1, start + 2]
        assert others(labels, start).tolist() == known or np.dtype(kind).kind == "i"
        found, table = fastremap.renumber(labels, start=start)
        assert [table[one] for one in (0, 1, 2, 3)] == found.tolist()
        seen[np.dtype(kind).name, start] = found.tolist() == known
        print(f"0 1 2 3 of {np.dtype(kind).name} from {start}: expected {known}, seen {found.tolist()} of {found.dtype}")
tiles = {}
for kind, image in ((np.uint8, squares((960, 960), 8)), (np.uint16, squares((1080, 1080), 4)), (np.uint32, squares((1080, 1080), 4))):
    known, found = (label(image)[1], 0), count(image, kind, ours)
    assert count(image, kind, others) == known
    tiles[np.dtype(kind).name] = found
    print(f"tiles of {np.dtype(kind).name}: numbers expected {known[0]}, seen {found[0]}; squares that are background expected {known[1]}, seen {found[1]}")
right = {("uint8", 253), ("uint32", 300), ("uint32", 65536)}
raise SystemExit(
    any(fits != (which in right) for which, fits in seen.items())
    or tiles["uint8"] != (255, 56)
    or tiles["uint16"] != (65535, 1)
    or tiles["uint32"] != (72900, 0)
)
PYTHON
