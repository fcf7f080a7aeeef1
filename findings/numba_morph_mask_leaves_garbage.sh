#!/usr/bin/env bash
# numba-morph 0.2.3, fast morphology for large images and volumes: dilation, erosion, opening and closing with a mask and several iterations write, where the
# mask is empty, whatever lay in memory before, and spread it into the image.
# One would expect what its docs say of mask, "only those elements with a True value at the corresponding mask element are modified", however often the step
# is repeated, as SciPy's binary_dilation does: where the mask is empty the image stays as it was.
# Seen, of an image of 1 in the middle and 5 where the mask is empty, after an array of 77 was let go: with 2 iterations, or 4, the 5 are 77, and with 3 or
# more the 77 creep into the part that is allowed; on another day it is 0 or something else. Opening has them too.
# No warning (NumPy's own memory is asked for and not filled). One iteration, and many without a mask, are right.
# (Every second pass writes into a fresh array, and skips in it what the mask forbids.)  So since 0.2.3; until 0.2.2 iterations changed nothing at all.
# Who grows labels or regions step by step within a mask, which is what iterations and mask together are for, gets labels that no one has given.
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

FULL = np.ones((3, 3), bool)
SHAPE = (9, 11)
JUNK = 77


def let_go():
    """Leave arrays of junk in the memory that the next arrays of that size get."""
    for array in [np.full(SHAPE, JUNK, np.uint8) for _ in range(50)]:
        del array


def grow(image, allowed, iterations, edge):
    let_go()
    return numba_morph.dilation(image.copy(), footprint=FULL, iterations=iterations, mask=allowed, mode=edge)


def by_hand(image, allowed, iterations):
    for _ in range(iterations):
        grown = image.copy()
        for y, x in np.argwhere(allowed):
            grown[y, x] = image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()
        image = grown
    return image


print("numba-morph", version("numba-morph"))
allowed = np.ones(SHAPE, bool)
allowed[:, 8:] = False
image = np.zeros(SHAPE, np.uint8)
image[4, 3] = 1
image[:, 9:] = 5
known = True
for iterations in (1, 2, 3, 4):
    right = by_hand(image, allowed, iterations)
    assert np.array_equal(right[~allowed], image[~allowed])
    found = grow(image, allowed, iterations, "nearest")
    outside = int((found[~allowed] != image[~allowed]).sum())
    inside = int((found[allowed] != right[allowed]).sum())
    values = np.unique(found).tolist()
    print(
        f"{iterations} iterations: pixels changed where the mask is empty: expected 0, seen {outside} of {(~allowed).sum()};"
        f" wrong where it is not: expected 0, seen {inside}; values expected {np.unique(right).tolist()}, seen {values}"
    )
    known &= (outside > 0) == (iterations % 2 == 0) and (inside > 0) == (iterations > 2)
free = np.zeros(SHAPE, np.uint8)
free[4, 3] = 1
binary = ndimage.binary_dilation(free, FULL, iterations=3, mask=allowed)
found = grow(free, allowed, 3, "constant")
print(f"a mask of 0 and 1, 3 iterations: values expected {np.unique(binary.astype(int)).tolist()}, as of SciPy, seen {np.unique(found).tolist()}")
let_go()
opened = numba_morph.opening(image.copy(), footprint=FULL, iterations=2, mask=allowed, mode="nearest")
changed = int((opened[~allowed] != image[~allowed]).sum())
print(f"opening, 2 iterations: pixels changed where the mask is empty: expected 0, seen {changed}")
known &= changed > 0
everywhere = np.ones(SHAPE, bool)
right = all(np.array_equal(grow(image, mask, n, "nearest"), by_hand(image, everywhere, n)) for n in (1, 2, 3, 4) for mask in (None, everywhere))
print("without a mask, or with one that is full, all are right:", right)
raise SystemExit(not (known and right))
PYTHON
