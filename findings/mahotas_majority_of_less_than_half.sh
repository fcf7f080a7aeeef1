#!/usr/bin/env bash
# mahotas 1.4.19, image processing for microscopy: majority_filter, which smooths masks, takes less than half for the majority, and cuts one row and column off.
# One would expect what its docs say: a pixel is set "if the majority of pixels in the squared of size N centred on (y,x) are positive", so 5 of 9 with N = 3
# and 13 of 25 with 5, as SciPy's median_filter does; and of a mask that is turned by 180 degrees the same, turned.
# Seen: 4 of 9, 12 of 25, 24 of 49 are enough (it compares the sum with N * N // 2, and lets the equal pass). Noise that is half 0 and half 1 comes out 75 %
# mask with N = 3 and 66 % with 5, where it should stay half. Of a disc of 5,013 pixels in an image of which 30 % were turned over, 14,112, the filter leaves
# 14,051 with N = 3, so nearly all the noise, where the majority is 7,888.
# Seen too: pixels whose square leaves the image are cleared, of which the docs say nothing, but at the lower and right side one row and column more, whose
# squares lie inside: a full mask of 7 x 7 comes back as 4 x 4, one of 3 x 3 as nothing.
# No warning; so since 1.4.13 at least.
# Who cleans masks of cells so gets them fatter, joined and with the noise left in, so areas that are too high, and in tiles seams at two sides.
# `wsss` does not use mahotas.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mahotas==1.4.19" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import mahotas
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage


def majority(mask, n):
    """As the docs say, of the pixels whose square lies in the image; the others are cleared."""
    return np.pad(sliding_window_view(mask, (n, n)).sum((2, 3)) > n * n / 2, n // 2)


def needed(n):
    """How many pixels of a square must be set for its centre to be."""
    masks = np.zeros((n * n + 1, 3 * n, 3 * n), bool)
    for count, mask in enumerate(masks):
        mask[n + np.arange(count) // n, n + np.arange(count) % n] = True
    return next(count for count, mask in enumerate(masks) if mahotas.majority_filter(mask, n)[n + n // 2, n + n // 2])


print("mahotas", version("mahotas"))
rng = np.random.default_rng(0)
noise = rng.random((400, 400)) < 0.5
disc = np.hypot(*(np.indices((200, 200)) - 100)) < 40
noisy = disc ^ (rng.random(disc.shape) < 0.3)
inner = (slice(5, -5), slice(5, -5))
least, shares = {}, {}
for n in (3, 5, 7):
    assert (majority(noise, n)[inner] == ndimage.median_filter(noise, n)[inner]).all()
    least[n], shares[n] = needed(n), round(float(mahotas.majority_filter(noise, n)[inner].mean()), 2)
    right = round(float(majority(noise, n)[inner].mean()), 2)
    print(f"N = {n}: pixels that are enough: expected {n * n // 2 + 1} of {n * n}, seen {least[n]}; of even noise set: expected {right}, seen {shares[n]}")
seen, right = mahotas.majority_filter(noisy, 3), majority(noisy, 3)
print(f"disc of {disc.sum()} with noise, {noisy.sum()}: expected {right.sum()}, seen {seen.sum()}")
full = [tuple(int(mahotas.majority_filter(np.ones((side, side), bool), 3).any(axis).sum()) for axis in (0, 1)) for side in (3, 7)]
print(f"what is left of full masks of 3 x 3 and 7 x 7: expected (1, 1) and (5, 5), seen {full[0]} and {full[1]}")
turned = mahotas.majority_filter(noise, 3) != mahotas.majority_filter(noise[::-1, ::-1], 3)[::-1, ::-1]
print(f"pixels that change when the noise is turned: expected 0, seen {turned.sum()}, of these inside {turned[2:-2, 2:-2].sum()}")
raise SystemExit(
    least != {3: 4, 5: 12, 7: 24}
    or not (shares[3] > 0.7 and shares[5] > 0.6 and seen.sum() > 1.5 * right.sum())
    or full != [(0, 0), (4, 4)]
    or not turned.any()
)
PYTHON
