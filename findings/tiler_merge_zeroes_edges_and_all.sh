#!/usr/bin/env bash
# tiler 0.6.0, which cuts arrays into tiles and merges what was made of them: with four of its twelve windows edges of the image become 0, with "overlap-tile"
# all of it if one axis has no overlap.
# One would expect of a merge of the tiles as they are the image again: of windows its docs say that they weigh tiles, and of merge, with
# normalize_by_weights, that "the accumulated data will be divided by weights", so that where only one tile lies, its value counts whatever its weight.
# Padding is asked for with "overlap-tile" only.
# Seen, of an image of 100 x 130 in tiles of 32 x 32 with an overlap of 16: hann, bartlett, bohman and barthann make its outermost rows and columns 0 where
# tiles begin, 229 pixels; without overlap each tile has a frame of 0, 1,747 pixels. Seven others give the image, blackman too, whose ends are 1e-17 by
# rounding. "overlap-tile" with the padding that its docs ask for is right with an overlap of 16 along both axes; with (16, 0), for tiles as wide as the
# image, or with 1, or none, each pixel is 0. Scores of two classes become class 0 there: 20 of 20 masks of class 1 alone get a row and a column of class 0.
# No warning: the division by 0 is silenced and its NaN made 0. The tracker has a wish for windows made for the border, but does not name it.
# Predictions of strips, and of tiles merged with the window of the paper in its README, lose what touches the edge of the image, or all.
# `wsss` does not use tiler.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "tiler==0.6.0" "numpy==2.4.6" "tqdm==4.70.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from tiler import Merger, Tiler


def merged(image, window, overlap, tile=(32, 32), padded=False):
    """The image after it was cut and merged, with the padding of the docs or without."""
    tiler = Tiler(image.shape, tile, overlap=overlap)
    padding = None
    if padded:
        shape, padding = tiler.calculate_padding()
        tiler.recalculate(data_shape=shape)
        image = np.pad(image, padding, mode="reflect")
    merger = Merger(tiler, window=window)
    for number, part in tiler(image):
        merger.add(number, part)
    return merger.merge(extra_padding=padding)


print("tiler", version("tiler"))
known = True
image = np.random.default_rng(0).integers(1, 255, (100, 130)).astype(np.float32)
seen = {}
for window in Merger.SUPPORTED_WINDOWS[:-1]:
    counts = []
    for overlap in (16, 0):
        found = merged(image, window, overlap)
        counts.append(int((abs(found - image) > 0.01).sum()))
        known &= (found[abs(found - image) > 0.01] == 0).all()
    seen[window] = tuple(counts)
    y, x = np.nonzero(abs(merged(image, window, 16) - image) > 0.01)
    known &= bool(((y == 0) | (x == 0)).all())
print(f"pixels that changed, with an overlap of 16 and with none: expected (0, 0) for each, seen {seen}")
known &= all(counts == ((229, 1747) if window in ("hann", "bartlett", "bohman", "barthann") else (0, 0)) for window, counts in seen.items())

seen = {}
for overlap, tile in ((16, (32, 32)), ((16, 16), (32, 32)), ((16, 0), (32, 130)), ((0, 16), (100, 32)), (1, (32, 32)), (0, (32, 32))):
    found = merged(image, "overlap-tile", overlap, tile, padded=True)
    seen[overlap, tile] = int((abs(found - image) > 0.01).sum()), int((found == 0).sum())
print(f"overlap-tile, padded: pixels that changed, and zeros, expected (0, 0) for each, seen {seen}")
known &= list(seen.values()) == [(0, 0)] * 2 + [(image.size, image.size)] * 4

frames = 0
for seed in range(20):
    height, width = np.random.default_rng(seed).integers(60, 200, 2)
    tiler = Tiler((height, width), (32, 32), overlap=16)
    merger = Merger(tiler, window="hann", logits=2)
    for number in range(len(tiler)):
        merger.add(number, np.stack([np.full((32, 32), 0.1), np.full((32, 32), 0.9)]))
    classes = merger.merge(argmax=True)
    frames += bool((classes[0] == 0).all() and (classes[:, 0] == 0).all() and (classes[1:-1, 1:-1] == 1).all())
print(f"class 1 everywhere, by hann: expected 0 of 20 with a row and a column of class 0 at the edge, seen {frames}")
raise SystemExit(not (known and frames == 20))
PYTHON
