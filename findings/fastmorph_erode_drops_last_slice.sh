#!/usr/bin/env bash
# fastmorph 1.10.0, morphology for masks and labels in volumes: erode(erode_border=False) takes the last slice away, or parts of it, where it should stay.
# One would expect what its docs say and SciPy's binary_erosion with border_value=1 does: the border preserves a label, so a full mask stays full.
# Seen: a full volume whose first axis is 65 long (129, 193: one more than a multiple of 64; images: 513, 1025) loses all of index 64, one of a single
# slice everything; at other sizes single pixels of the last index go, where a hole lies two pixels before them and another elsewhere. No warning; the other
# borders are right. (Behind the last index it takes what it remembers of an earlier place for the neighbour; it works in blocks of 64, in images of 512.)
# So since 1.4.0, which brought the argument. closing(erode_border=False) removes mask by it, which a closing never does, and fill_holes_v1
# with morphological_closing, which erodes so in the box around each object, cuts the end off one that is 65 long. With erode_border left True it is right.
# Who erodes or closes tiles of 65, 129 or 513 so, or fills the holes of cells and organs, gets masks that lack their last slice at one side only.
# `wsss` does not use fastmorph.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "fastmorph==1.10.0" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import fastmorph
import numpy as np
from scipy import ndimage


def lost(mask, inner=False):
    """The pixels that should stay and do not, of a mask whose border preserves it or, with inner, is background."""
    block = np.ones((3,) * mask.ndim)
    kept = ndimage.binary_erosion(mask, block, border_value=0 if inner else 1)
    seen = fastmorph.erode(mask, erode_border=inner)
    assert not (seen & ~kept).any()
    return np.argwhere(kept & ~seen)


print("fastmorph", version("fastmorph"))
shapes = [(64, 4, 4), (65, 4, 4), (66, 4, 4), (129, 4, 4), (4, 65, 4), (4, 4, 65), (1, 4, 4), (512, 4), (513, 4), (4, 513)]
solid = {shape: len(lost(np.ones(shape, bool))) for shape in shapes}
print("pixels that full masks lose, expected none (SciPy); seen", solid)
assert {int(first) for first, *_ in lost(np.ones((65, 4, 4), bool))} == {64}
assert not any(len(lost(np.ones(shape, bool), inner=True)) for shape in shapes)

holes = np.ones((6, 6), bool)
holes[0, 0] = holes[3, 0] = False
turned = {turn * 90: lost(np.rot90(holes, turn)).tolist() for turn in range(4)}
print("an image of 6 x 6 with holes at (0, 0) and (3, 0), by quarter turns, expected none; seen", turned)

cell = np.zeros((90, 30, 30), np.uint8)
cell[10:75, 10:20, 10:20] = 1
closed = int((fastmorph.closing(np.ones((65, 10, 10), np.uint8), erode_border=False) == 0).sum())
filled = fastmorph.fill_holes_v1(cell, morphological_closing=True)
gone = np.argwhere((cell == 1) & (filled == 0))
print(f"a full volume of 65 x 10 x 10, closed: expected 0 voxels lost, seen {closed}")
print(f"an object of 65 x 10 x 10 without holes, filled: expected 0 voxels lost, seen {len(gone)}, at index {np.unique(gone[:, 0])} of 10 to 74")
raise SystemExit(
    {shape: count for shape, count in solid.items() if count} != {(65, 4, 4): 16, (129, 4, 4): 16, (1, 4, 4): 16, (513, 4): 4}
    or {turn for turn, places in turned.items() if places} != {0}
    or turned[0] != [[5, 0], [5, 1]]
    or closed != 100
    or len(gone) != 100
    or set(gone[:, 0].tolist()) != {74}
)
PYTHON
