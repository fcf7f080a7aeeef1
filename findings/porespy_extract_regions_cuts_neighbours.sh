#!/usr/bin/env bash
# PoreSpy 3.2.0, images of porous materials: extract_regions of several labels leaves out pixels of all but the last where the regions' boxes overlap.
# One would expect what its docs say, "a boolean mask with True values indicating where the given labels exist", as np.isin(regions, labels) gives it, in
# whatever order the labels are named.
# Seen, of two triangles that together are a square of 25 pixels: of labels [1, 2] 19 pixels, of [2, 1] 15. Of an image divided into 60 regions, each the pixels
# nearest to a seed, all of them asked for, 21% of the pixels are missing, of a volume 54%; of 100 pairs of neighbours 89 lack pixels, in the volume 93, on
# average 4% and 8% of them. And the result is of the labels' type, not boolean, so that ~ of it is not the rest.
# No warning. One label alone is right, and so are regions whose boxes do not touch.
# (Each label's box is written over what is there, and so the zeros around a region too.)  So since 1.3.1 at least.
# Regions of a watershed lie side by side, and so do their boxes overlap: who measures a cluster of pores, grains or cells gets holes along its inner borders
# and volumes that are too small.
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
from scipy import ndimage
from skimage.segmentation import watershed


def missing(regions, labels):
    """What part of the regions' pixels is missing, and how many pixels are there too many."""
    expected = np.isin(regions, labels)
    seen = porespy.tools.extract_regions(regions, labels=labels, trim=False) > 0
    return 1 - seen[expected].mean(), int(seen[~expected].sum())


print("PoreSpy", version("porespy"))
square = np.zeros((8, 8), int)
square[:5, :5] = np.where(np.tri(5, dtype=bool), 1, 2)
known = True
for labels, wrong in (([1], 15), ([2], 10), ([1, 2], 19), ([2, 1], 15)):
    seen = porespy.tools.extract_regions(square, labels=labels, trim=False)
    print(f"two triangles, labels {labels}: expected {np.isin(square, labels).sum()} pixels, bool; seen {(seen > 0).sum()}, {seen.dtype}")
    known &= (seen > 0).sum() == wrong and seen.dtype != bool

random = np.random.default_rng(0)
for shape, count in (((120, 140), 60), ((30, 32, 34), 60)):
    seeds = np.zeros(shape, int)
    seeds.flat[random.choice(seeds.size, count, replace=False)] = np.arange(1, count + 1)
    regions = watershed(ndimage.distance_transform_edt(seeds == 0), seeds)  # each pixel has the label of the nearest seed
    edges = set()
    for axis in range(regions.ndim):
        a, b = np.moveaxis(regions, axis, 0)[:-1], np.moveaxis(regions, axis, 0)[1:]
        edges |= {tuple(sorted(pair)) for pair in zip(a[a != b].tolist(), b[a != b].tolist())}
    pairs = [list(map(int, pair)) for pair in random.permutation(sorted(edges))[:100]]
    lack = [missing(regions, pair) for pair in pairs]
    everything, more = missing(regions, list(range(1, count + 1)))
    single = [missing(regions, [label]) for label in range(1, count + 1)]
    print(
        f"{count} regions of {shape}: all labels, expected 0% missing, seen {100 * everything:.0f}%; {len(pairs)} pairs of neighbours, expected 0"
        f" that lack pixels, seen {sum(part > 0 for part, _ in lack)}, {100 * np.mean([part for part, _ in lack]):.0f}% of the pixels on average; single labels"
        f" {sum(part > 0 for part, _ in single)} of {count}"
    )
    known &= everything > 0.1 and sum(part > 0 for part, _ in lack) > 80 and not any(part for part, _ in single) and not more
raise SystemExit(not known)
PYTHON
