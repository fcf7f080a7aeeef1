#!/usr/bin/env bash
# numba-morph 0.2.3, fast morphology for large images and volumes: whatever size says, the neighbourhood is 3 x 3 (in volumes 3 x 3 x 3).
# One would expect of size what its docs say, "Shape of a flat and full structuring element", and what SciPy's functions of the same names, to which its README
# compares it, give.
# Seen, of one pixel dilated: by (7, 7) a square of 9 pixels for 49, by (1, 3), a row, the same square for 3. Eroding a mask by (7, 7) leaves 3,380 of 6,010
# pixels where 427 should be left; a dot of 5 x 5 pixels survives opening by (7, 7), and so is not in the white top hat that should find it. All seven
# functions that have size ignore it, in volumes too: by (1, 5, 5), which should stay within the slice, a voxel becomes 27 in three slices, for 25 in one.
# No warning. The same shape given as footprint=np.ones(size, bool) is right, and so is a size of 3 along each axis.
# (Only the number of axes is taken from size, for the full neighbourhood of the nearest pixels.)  So since 0.1.0, its first version.
# Who cleans masks, closes gaps or takes the background off by a wide window gets the narrowest one: what should be gone stays.
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

NAMES = {
    "dilation": ndimage.grey_dilation,
    "erosion": ndimage.grey_erosion,
    "opening": ndimage.grey_opening,
    "closing": ndimage.grey_closing,
    "white_tophat": ndimage.white_tophat,
    "black_tophat": ndimage.black_tophat,
    "morphological_gradient": ndimage.morphological_gradient,
}


def by_size(name, image, size):
    return getattr(numba_morph, name)(image.copy(), size=size)


print("numba-morph", version("numba-morph"))
known = True
point = np.zeros((15, 15), np.uint8)
point[7, 7] = 1
for size in ((3, 3), (1, 3), (3, 1), (5, 3), (5, 5), (7, 7)):
    seen = int(by_size("dilation", point, size).sum())
    print(f"a pixel dilated by {size}: expected {np.prod(size)}, seen {seen}")
    known &= seen == 9
voxel = np.zeros((9, 9, 9), np.uint8)
voxel[4, 4, 4] = 1
found = by_size("dilation", voxel, (1, 5, 5))
slices = int(found.any((1, 2)).sum())
print(f"a voxel dilated by (1, 5, 5): expected 25 in 1 slice, seen {found.sum()} in {slices}")
known &= found.sum() == 27 and slices == 3

random = np.random.default_rng(0)
mask = (ndimage.gaussian_filter(random.random((100, 120)), 2) > 0.5).astype(np.uint8)
# by hand: what a window of 7 x 7 pixels leaves of the mask, whose borders are mirrored
windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, 3, mode="symmetric"), (7, 7))
expected, seen = windows.min((2, 3)).sum(), by_size("erosion", mask, (7, 7)).sum()
print(f"a mask of {mask.sum()} pixels eroded by (7, 7): expected {expected}, seen {seen}")
known &= seen > 2 * expected
dot = np.zeros((30, 30), np.uint8)
dot[10:15, 10:15] = 100
opened, hat = by_size("opening", dot, (7, 7)), by_size("white_tophat", dot, (7, 7))
print(f"a dot of 5 x 5, opened by (7, 7): expected 0 pixels, seen {(opened > 0).sum()}; in the white top hat expected 25, seen {(hat > 0).sum()}")
known &= np.array_equal(opened, dot) and not hat.any()

image = random.integers(0, 256, (60, 70)).astype(np.uint8)
for name, scipy in NAMES.items():
    wide, three, right = by_size(name, image, (7, 7)), by_size(name, image, (3, 3)), scipy(image, size=(7, 7))
    shape = getattr(numba_morph, name)(image.copy(), footprint=np.ones((7, 7), bool))
    print(
        f"{name} by (7, 7): expected SciPy's, seen {(wide != right).sum()} of {image.size} pixels otherwise and all as by (3, 3): {np.array_equal(wide, three)};"
        f" by a footprint of 7 x 7 right: {np.array_equal(shape, right)}"
    )
    known &= np.array_equal(wide, three) and np.array_equal(shape, right) and np.array_equal(three, scipy(image, size=(3, 3)))
raise SystemExit(not known)
PYTHON
