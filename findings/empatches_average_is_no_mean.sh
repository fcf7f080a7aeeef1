#!/usr/bin/env bash
# EMPatches 0.2.3, which cuts images into patches and merges them: mode="avg", where patches overlap, gives no mean.
# One would expect what its docs say, "mean/average value of overlapping area at each pixel will be written", so of patches that say 0 and 1 a half, in
# whichever order they come, and of 1, 1 and 0 two thirds.
# Seen: 0 then 1 is 1, 1 then 0 is a half; 1, 1, 0 is a half, 1, 0, 1 is 0.75, and 0, 0, 1 is 1. Of an empty mask in patches of 20 x 20 that overlap by half,
# each of which has a false dot that the three others there do not have, all 384 pixels of the dots are 1 where 0.25 should be, if the dots lie at the upper left
# of their patches, and 0.125 if they lie at the lower right.
# No warning. Two patches, neither of which is 0 there, are right; so is what all patches agree upon. An open issue asks what is divided by what, and has no
# answer; the zeros are not in it.
# (It halves the sum of what is there and each new patch, and takes a 0 that is there for a place that nothing has been written to.)  So since 0.2.0.
# Who averages the predictions of overlapping patches, where 0 is what most of them say, gets the union of their false alarms at the seams.
# `wsss` does not use EMPatches.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "empatches==0.2.3" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from empatches import EMPatches


def mean(patches, indices, shape):
    total, count = np.zeros(shape), np.zeros(shape)
    for patch, (top, bottom, left, right) in zip(patches, indices):
        total[top:bottom, left:right] += patch
        count[top:bottom, left:right] += 1
    return total / count


print("EMPatches", version("empatches"))
whole = EMPatches()
place = (0, 4, 0, 4)
known = True
for values, wrong in (((0, 1), 1), ((1, 0), 0.5), ((1, 1, 0), 0.5), ((1, 0, 1), 0.75), ((0, 0, 1), 1), ((0, 0, 0, 1), 1), ((0.2, 0.4), 0.3), ((0.6, 0.6), 0.6)):
    patches = [np.full((4, 4), value, np.float32) for value in values]
    seen = whole.merge_patches(patches, [place] * len(values), mode="avg")
    assert (seen == seen[0, 0]).all()
    expected = mean(patches, [place] * len(values), (4, 4))[0, 0]
    print(f"patches that say {', '.join(map(str, values))}: expected {expected:.3g}, seen {seen[0, 0]:.3g}")
    known &= abs(seen[0, 0] - wrong) < 1e-6

# in each patch a dot that the three others that cover the place do not have
for where, start, wrong in (("at the upper left", 2, 1.0), ("at the lower right", 14, 0.125)):
    patches, indices = whole.extract_patches(np.zeros((60, 80), np.float32), patchsize=20, overlap=0.5)
    patches = [patch.copy() for patch in patches]
    for patch in patches:
        patch[start : start + 4, start : start + 4] = 1
    inner = (slice(10, -10), slice(10, -10))  # where each pixel has four patches
    expected, seen = mean(patches, indices, (60, 80))[inner], whole.merge_patches(patches, indices, mode="avg")[inner]
    dots = expected > 0
    assert dots.sum() == 24 * 16 and (expected[dots] == 0.25).all()
    print(
        f"a dot of 16 pixels {where} of each of {len(patches)} patches, in one of four: expected {np.unique(expected[dots]).tolist()},"
        f" seen {np.unique(seen[dots]).tolist()}; pixels of a half or more expected 0, seen {(seen >= 0.5).sum()}"
    )
    known &= np.allclose(seen[dots], wrong)
same = np.random.default_rng(0).random((60, 80)).astype(np.float32)
patches, indices = whole.extract_patches(same, patchsize=20, overlap=0.5)
agree = np.allclose(whole.merge_patches(patches, indices, mode="avg"), same)
print("patches that agree are right:", agree)
raise SystemExit(not (known and agree))
PYTHON
