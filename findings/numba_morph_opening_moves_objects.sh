#!/usr/bin/env bash
# numba-morph 0.2.3, fast morphology for large images and volumes: opening and closing with a footprint that is not symmetric move objects.
# One would expect of an opening, by its definition, that it only takes pixels away, of a closing that it only adds some, and that either done twice is as
# done once; so a square of 5 x 6 pixels that holds a footprint of 2 x 2 stays as it is, as SciPy's grey_opening and scikit-image's opening leave it.
# Seen: opened with a footprint of 2 x 2, which must be written as 3 x 3 with three of its sides empty, the square comes out a row higher and a column further
# left; closed too. Of a mask of 5,771 pixels the opening loses 1,069 where 71 should go, and sets 998 that were not in it, where none may be. white_tophat, the
# image less its opening, so falls below 0, and in bytes is 255 there.
# Seen besides: of any footprint whose middle is empty, a ring say, the middle is taken to be full: a pixel dilated by a ring of 8 is 9 pixels.
# No warning. Symmetric footprints with a full middle are right, and so is erosion, but for the middle.
# (Dilation looks the same way as erosion does, where the second of the two must look the other way.)  So in 0.1.0 as well.
# Who opens or closes masks of slanted or even-sized windows, or looks for dots and lines by top hats, has the result a pixel or more beside the image.
# `wsss` does not use numba-morph.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "numba-morph==0.2.3" "numba==0.68.1" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
NUMBA_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numba_morph
import numpy as np
from scipy import ndimage

CORNER = np.array([[0, 0, 0], [0, 1, 1], [0, 1, 1]], bool)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


def box(image):
    rows, columns = np.nonzero(image)
    return tuple(int(v) for v in (rows.min(), columns.min(), rows.max(), columns.max()))


def opened_by_hand(image):
    """All windows of 2 x 2 pixels that are full."""
    result = np.zeros_like(image)
    for y in range(image.shape[0] - 1):
        for x in range(image.shape[1] - 1):
            if image[y : y + 2, x : x + 2].all():
                result[y : y + 2, x : x + 2] = 1
    return result


print("numba-morph", version("numba-morph"))
square = np.zeros((9, 12), np.uint8)
square[2:7, 3:9] = 1
known = True
for name in ("opening", "closing"):
    found = getattr(numba_morph, name)(square.copy(), footprint=CORNER)
    assert np.array_equal(getattr(ndimage, "grey_" + name)(square, footprint=CORNER), square)
    print(f"a square from (2, 3) to (6, 8), {name} by 2 x 2: expected {box(square)}, seen {box(found)}")
    known &= box(found) == (1, 2, 5, 7) and found.sum() == 30

random = np.random.default_rng(0)
mask = (ndimage.gaussian_filter(random.random((100, 120)), 2) > 0.5).astype(np.uint8)
mask[[0, -1]] = mask[:, [0, -1]] = 0
right = opened_by_hand(mask)
assert np.array_equal(right, ndimage.grey_opening(mask, footprint=CORNER))
found = numba_morph.opening(mask.copy(), footprint=CORNER)
lost, more = int((mask > found).sum()), int((found > mask).sum())
again = int((numba_morph.opening(found.copy(), footprint=CORNER) != found).sum())
print(f"a mask of {mask.sum()} pixels opened by 2 x 2: lost expected {(mask > right).sum()}, seen {lost}; set expected 0, seen {more}")
print(f"opened once more: changes expected 0, seen {again}")
known &= lost > 500 and more > 500 and again > 500
closed = numba_morph.closing(mask.copy(), footprint=CORNER)
print(f"closed by 2 x 2: pixels of the mask lost expected 0, seen {(mask > closed).sum()}")
known &= (mask > closed).sum() > 500
hat = numba_morph.white_tophat(mask.copy(), footprint=CORNER)
print(f"values of its white top hat: expected [0, 1], seen {np.unique(hat).tolist()}")
known &= 255 in hat

pixel = np.zeros((7, 7), np.uint8)
pixel[3, 3] = 1
ring = numba_morph.dilation(pixel.copy(), footprint=RING)
print(f"a pixel dilated by a ring: expected 8 pixels, the middle 0; seen {ring.sum()}, the middle {ring[3, 3]}")
known &= ring.sum() == 9 and ndimage.grey_dilation(pixel, footprint=RING).sum() == 8

cross = ndimage.generate_binary_structure(2, 1)
same = all(
    np.array_equal(getattr(numba_morph, name)(mask.copy(), footprint=shape), getattr(ndimage, "grey_" + name)(mask, footprint=shape))
    for name in ("opening", "closing")
    for shape in (cross, np.ones((5, 5), bool))
)
eroded = np.array_equal(numba_morph.erosion(mask.copy(), footprint=CORNER), ndimage.grey_erosion(mask, footprint=CORNER))
print("symmetric footprints are right:", same, "- erosion by 2 x 2 is right:", eroded)
raise SystemExit(not (known and same and eroded))
PYTHON
