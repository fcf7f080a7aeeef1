#!/usr/bin/env bash
# PoreSpy 3.2.0, images of porous materials: make_contiguous, which numbers labels anew without gaps, makes the highest label that fits the type background.
# One would expect what its docs say of the default mode, keep_zeros, "Voxels equal to 0 remain 0, and all other numbers are ranked starting at 1", for each
# type of whole numbers, so that no label becomes 0, as the same labels in 16 bits have it.
# Seen: a mask of 0 and 255 in uint8 is all 0; of the labels 0, 1, 2, 7 and 255 the last is 0; of 3, 4 and 255, without a 0, the ranks are 2, 3, 1 for 1, 2, 3.
# In uint16 the same of 65535. Mode none, which its docs say begins at 1, makes 255 the 0, too. Of 200 sets of labels in uint8, drawn at random, the 64 with
# 255 among them are wrong, no other. regions_to_network, which numbers regions so, then has one region less.
# No warning. Modes clipped and symmetric are right, and so is all in a wider type. A mask of 255, and 255 for what is to be ignored, are in most mask files.
# (The least value and 1 are added to the labels in their own type, in which 255 and 1 are 0.)  So since 2.0.0 at least.
# Seen besides: flood with mode size, by its docs "the size of that region", gives the sum of the values there, which is the size only if all are 1.
# Who numbers the phases or regions of a scan in 8 bits, which image stacks mostly are, loses the brightest phase, or all of a mask, into the solid.
# `wsss` does not use PoreSpy.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "porespy==3.2.0" "numpy==2.4.6" "scikit-image==0.26.0" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import porespy


def ranks(labels, zeros=True):
    """By hand: 0 stays 0, the other labels are 1, 2 ... by size; or all of them."""
    order = {label: i for i, label in enumerate(sorted(set(labels) - ({0} if zeros else set())), 1)}
    return [order.get(label, 0) for label in labels]


def seen(labels, kind, mode="keep_zeros"):
    return porespy.tools.make_contiguous(np.array([labels, labels], kind), mode=mode)[0].tolist()


print("PoreSpy", version("porespy"))
known = True
for labels, kind, wrong in (
    ([0, 255], np.uint8, [0, 0]),
    ([0, 1, 2, 7, 255], np.uint8, [0, 1, 2, 3, 0]),
    ([3, 4, 255], np.uint8, [2, 3, 1]),
    ([0, 1, 2, 7, 254], np.uint8, None),
    ([0, 1, 2, 7, 255], np.uint16, None),
    ([0, 1, 2, 7, 65535], np.uint16, [0, 1, 2, 3, 0]),
    ([0, 1, 2, 7, 65535], np.int64, None),
):
    found = seen(labels, kind)
    print(f"{labels} in {np.dtype(kind)}: expected {ranks(labels)}, seen {found}")
    known &= found == (wrong or ranks(labels))
labels = [0, 1, 2, 7, 255]
found = {mode: seen(labels, np.uint8, mode) for mode in ("none", "clipped", "symmetric")}
print(f"{labels} in uint8, other modes: expected none {ranks(labels, zeros=False)}, clipped and symmetric {ranks(labels)}, seen {found}")
known &= found == {"none": [1, 2, 3, 4, 0], "clipped": ranks(labels), "symmetric": ranks(labels)}

random = np.random.default_rng(0)
counts = {True: [0, 0], False: [0, 0]}
for _ in range(200):
    labels = [0, *map(int, random.choice(np.arange(1, 256), 100, replace=False))]
    counts[255 in labels][int(seen(labels, np.uint8) != ranks(labels))] += 1
print(f"200 random sets: with 255 expected 0 wrong, seen {counts[True][1]} of {sum(counts[True])}; without {counts[False][1]} of {sum(counts[False])}")
known &= counts[True][0] == 0 and counts[False][1] == 0 and min(sum(counts[True]), sum(counts[False])) > 20

values, regions = np.array([[5.0, 5, 0, 2, 2, 2]] * 2), np.array([[1, 1, 0, 2, 2, 2]] * 2)
flooded = porespy.filters.flood(values, labels=regions, mode="size")[0].tolist()
print(f"flood by size, of regions of 4 and 6 pixels: expected [4, 4, 0, 6, 6, 6], seen {flooded}")
known &= flooded == [20, 20, 0, 12, 12, 12]

porespy.settings.tqdm["disable"] = True
blocks = np.kron(np.arange(256).reshape(16, 16), np.ones((4, 4), int))  # 255 regions side by side
pores = {kind: len(porespy.networks.regions_to_network(blocks.astype(kind))["pore.region_label"]) for kind in ("uint8", "uint16")}
print(f"network of 255 regions: expected 255 pores, seen {pores}")
known &= pores == {"uint8": 254, "uint16": 255}
raise SystemExit(not known)
PYTHON
