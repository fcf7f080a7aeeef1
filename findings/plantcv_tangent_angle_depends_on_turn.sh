#!/usr/bin/env bash
# PlantCV 4.11.3, measuring plants in images: the tangent angle of a bent leaf is another where the leaf stands upright.
# One would expect of morphology.segment_tangent_angle, "a way to quantify leaf behavior", which fits a line to either end of a segment to "calculate angle
# between the two lines", that a leaf that is turned keeps its angle: 180 degrees for a straight one, less the more it is bent, as for leaves that lie.
# Seen, of one leaf bent to 150 degrees, turned in steps of 15: 149 to 151 in ten positions, 29 and 30 in two that stand upright; of one bent to 120 it is
# 120 in eight and 60 in four, of one bent to 170 it is 12 in one. Straight leaves and those bent to 90 have the same in all. Of 200 upright leaves bent by 10
# to 60 degrees 165 are wrong, and the mean is 59 for 147; of 200 that lie none is.
# No warning, and its tracker does not name it. (The difference of two slopes' angles is taken from 180, though it is over 90 where one line leans to the left
# and the other to the right; the insertion angle, made of the same difference, is folded to the sharp one.)
# Grasses and seedlings stand upright: a leaf that droops a little counts as one that is folded, and angles over time jump from near 180 to near 0.
# `wsss` does not use PlantCV.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.2.6" "opencv-python-headless==4.12.0.88" "scipy==1.15.3" "scikit-image==0.25.2" "pandas==2.3.3" "matplotlib==3.10.8" "scikit-learn==1.7.2" \
  "xarray==2026.9.0" "statsmodels==0.15.0" "altair==5.5.0" "nd2==0.12.0" "flyr==5.1.0"
install --no-deps "plantcv==4.11.3"
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
from importlib.metadata import version

import cv2
import numpy as np
from plantcv import plantcv as pcv

cv2.setNumThreads(1)
pcv.params.debug = None


def angle(bend, turn, arm=90):
    """The tangent angle of a leaf of two straight halves with an angle between them; its ends lie level at turn 0, above each other at 90."""
    half = (180 - bend) / 2
    ends = [[200 + arm * np.cos(a), 200 + arm * np.sin(a)] for a in np.deg2rad([turn + half, turn + 180 - half])]
    image = np.zeros((400, 400), np.uint8)
    cv2.polylines(image, [np.round([ends[0], [200, 200], ends[1]]).astype(np.int32)], False, 255, 1)
    with contextlib.redirect_stdout(io.StringIO()):
        segmented, objects = pcv.morphology.segment_skeleton(pcv.morphology.skeletonize(image))
        pcv.outputs.clear()
        pcv.morphology.segment_tangent_angle(segmented, objects, 20)
    (found,) = pcv.outputs.observations.values()
    (value,) = found["segment_tangent_angle"]["value"]
    return float(value)


print("plantcv", version("plantcv"))
known = True
for bend, count in ((180, 0), (170, 1), (150, 2), (120, 4), (90, 0)):
    seen = np.array([angle(bend, turn) for turn in range(0, 180, 15)])
    wrong = np.abs(seen - bend) > 5
    print(f"bent to {bend}, turned by 0 to 165: expected {bend} in each, seen {seen.round().astype(int).tolist()}")
    known &= wrong.sum() == count and bool((np.abs(seen[wrong] - (180 - bend)) < 5).all())
random = np.random.default_rng(0)
for name, middle in (("upright", 90), ("lying", 0)):
    bends = random.uniform(120, 170, 200)
    seen = np.array([angle(bend, middle + random.uniform(-15, 15)) for bend in bends])
    wrong = int((np.abs(seen - bends) > 10).sum())
    print(f"200 {name} leaves: expected 0 wrong and a mean of {bends.mean():.0f}, seen {wrong} and {seen.mean():.0f}")
    known &= wrong > 100 and seen.mean() < 100 if name == "upright" else wrong == 0
raise SystemExit(not known)
PYTHON
