#!/usr/bin/env bash
# cp_measure 0.3.0, CellProfiler's measurements as a library: of masks compared with a reference, what is marked on the background is no false positive.
# One would expect what its docs say: "Precision: Number of true positive pixels / (number of true positive pixels + number of false positive pixels)", the
# false positive rate those "/ total number of actual negative pixels", and the true positive rate and the recall the same share of the reference's pixels.
# Seen, of two squares of 10 x 10 in 50 x 50, by masks of 20 x 20 around them: precision, recall and F-factor 1.0, with 0.25, 1.0 and 0.4 expected, and a false
# positive rate of 0, for 0.26. With a third mask where there is nothing precision and F-factor stay 1.0, but the true positive rate falls to 0.67, for 1.0:
# the false pixels are counted as missed ones. With one of the squares missed the true positive rate stays 1.0, for 0.5, while the recall is 0.5.
# Of 100 images with 16 cells, with masks 1 pixel larger all around and 3 false ones: precision 1.0 in all, with 0.51 to 0.57 expected. By its F-factor such
# masks, 1.0, are better than those moved by a pixel, 0.92 to 0.94, by the formula they are worse.
# No warning; its tracker does not name it, nor does CellProfiler's, from whose module MeasureObjectOverlap this comes. (As false only counts what lies on
# another object of the reference; a mask that meets none is added to the missed pixels, a missed object to nothing.)
# Segmentations are chosen by it: what spills over, and cells found in debris, cost nothing; the more a threshold marks the better it seems.
# `wsss` does not use cp_measure.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "cp_measure==0.3.0" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from cp_measure.multimask.measureobjectoverlap import measureobjectoverlap

NAMES = ["Precision", "Recall", "Ffactor", "TruePosRate", "FalsePosRate"]


def seen(truth, found):
    result = measureobjectoverlap(truth, found)
    return [round(float(result[f"Overlap_{name}"]), 2) for name in NAMES]


def expected(truth, found):
    """By the pixels of the foreground, as the formulas of the docs have it."""
    truth, found = truth > 0, found > 0
    right = (truth & found).sum()
    precision, recall = right / found.sum(), right / truth.sum()
    factor, false = 2 * precision * recall / (precision + recall), (found & ~truth).sum() / (~truth).sum()
    return [round(float(value), 2) for value in (precision, recall, factor, recall, false)]


print("cp_measure", version("cp_measure"))
truth = np.zeros((50, 50), np.int32)
truth[10:20, 10:20], truth[30:40, 30:40] = 1, 2
large, more, less = np.zeros_like(truth), truth.copy(), np.where(truth == 1, 1, 0).astype(np.int32)
large[5:25, 5:25], large[25:45, 25:45] = 1, 2
more[30:40, 5:15] = 3
print("two squares:", NAMES)
known = True
for name, found, numbers in (
    ("the same", truth, [1.0, 1.0, 1.0, 1.0, 0.0]),
    ("four times as large", large, [1.0, 1.0, 1.0, 1.0, 0.0]),
    ("with a false one", more, [1.0, 1.0, 1.0, 0.67, 0.0]),
    ("with one missed", less, [1.0, 0.5, 0.67, 1.0, 0.0]),
):
    print(f"  {name}: expected {expected(truth, found)}, seen {seen(truth, found)}")
    known &= seen(truth, found) == numbers
    known &= (expected(truth, found) == numbers) == (name == "the same")

random = np.random.default_rng(0)
precisions, better, worse, factors, others = [], 0, 0, [], []
for _ in range(100):
    truth, found = np.zeros((80, 80), np.int32), np.zeros((80, 80), np.int32)
    for number in range(16):
        height, width = random.integers(6, 11, 2)
        y, x = 16 * (number // 4) + random.integers(2, 5), 16 * (number % 4) + random.integers(2, 5)
        truth[y : y + height, x : x + width] = number + 1
        found[y - 1 : y + height + 1, x - 1 : x + width + 1] = number + 1
    for number in range(3):
        found[68:78, 10 + 20 * number : 20 + 20 * number] = 17 + number
    moved = np.roll(truth, 1, 1)
    wide, near = seen(truth, found), seen(truth, moved)
    precisions.append((expected(truth, found)[0], wide[0]))
    factors.append(wide[2])
    others.append(near[2])
    better += wide[2] > near[2]
    worse += expected(truth, found)[2] < expected(truth, moved)[2]
wanted, got = zip(*precisions)
print(f"100 images, masks too large and 3 false: expected a precision of {min(wanted)} to {max(wanted)}, seen {min(got)} to {max(got)}")
print(f"F-factor {min(factors)} to {max(factors)}, of masks moved by a pixel {min(others)} to {max(others)}; better in {better}, by the formula worse in {worse}")
raise SystemExit(not (known and max(wanted) < 0.7 and min(got) == 1 and better == worse == 100))
PYTHON
