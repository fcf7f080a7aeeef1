#!/usr/bin/env bash
# mapcalc 0.2.2, mean average precision (mAP) of detected boxes: the scores of the detections change nothing; their order in the list does.
# One would expect of "the mAP criterium defined in the PASCAL VOC 2012 competition", which takes detections by falling score, the same for the same
# detections in any order, and that scores turned upside down make it worse.
# Seen, of one object, its box found with score 0.9 and a false one with 0.1: 1.0 if the true one stands first, 0.5 if it stands last; scores turned round, or
# left out, are the same. Of 10 objects, 10 true boxes and 10 false ones the mAP is between 0.5 and 1.0 by order alone, for each scoring of them.
# Seen besides: calculate_map_range, "including iou_begin and iou_end", goes a step beyond for some ranges: from 0.1 to 0.3 by 0.1 it takes 0.4 as well, from
# 0.5 to 0.75 by 0.05 also 0.8; from 0.5 to 0.95 it is right.
# No warning; neither its README nor its docs say that boxes must be sorted. Sorted by falling score, calculate_map is right.
# (The scores are kept, but nothing looks at them; the project that it is adapted from sorts its files first.)  So since 0.1, its first version.
# Detections come by class, by image or by place from many models and files, and joined from several; so the score is that of a chance order.
# `wsss` does not use mapcalc.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mapcalc==0.2.2" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from mapcalc import calculate_map, calculate_map_range


def found(truth, boxes, scores, threshold=0.5):
    result = {"boxes": [list(box) for box in boxes], "labels": [1] * len(boxes)}
    if scores is not None:
        result["scores"] = list(scores)
    return round(calculate_map({"boxes": truth, "labels": [1] * len(truth)}, result, threshold), 4)


def by_hand(truth, boxes, scores):
    """Area under precision, made to fall, by recall; here a box is true if it is one of the truth's."""
    order = np.argsort(scores)[::-1]
    hits = np.cumsum([list(boxes[i]) in truth for i in order])
    precision = hits / np.arange(1, len(hits) + 1)
    area, before = 0.0, 0
    for i, hit in enumerate(hits):
        area += (hit - before) / len(truth) * precision[i:].max()
        before = hit
    return round(float(area), 4)


print("mapcalc", version("mapcalc"))
true, false = [0, 0, 9, 9], [50, 50, 60, 60]
known = True
for name, boxes, scores, wrong in (
    ("the true box first, the higher score", [true, false], [0.9, 0.1], 1.0),
    ("the true box last, the higher score", [false, true], [0.1, 0.9], 0.5),
    ("the true box first, the lower score", [true, false], [0.1, 0.9], 1.0),
    ("the true box last, the lower score", [false, true], [0.9, 0.1], 0.5),
):
    seen = found([true], boxes, scores)
    print(f"{name}: expected {by_hand([true], boxes, scores)}, seen {seen}")
    known &= seen == wrong == found([true], boxes, None)

random = np.random.default_rng(0)
truth = [[100 * i, 0, 100 * i + 20, 20] for i in range(10)]
boxes = truth + [[100 * i, 500, 100 * i + 20, 520] for i in range(10)]
good = [0.9 - 0.01 * i for i in range(20)]
bad = [0.1 + 0.01 * i for i in range(20)]
for name, scores in (("true boxes have the higher scores", good), ("false boxes have the higher scores", bad)):
    expected = by_hand(truth, boxes, scores)
    orders = [np.arange(20), np.arange(20)[::-1], *(random.permutation(20) for _ in range(50))]
    seen = [found(truth, [boxes[i] for i in order], [scores[i] for i in order]) for order in orders]
    print(f"{name}, in 52 orders: expected {expected}, seen {min(seen)} to {max(seen)}")
    known &= min(seen) == 0.5 and max(seen) == 1.0
    falling = np.argsort(scores)[::-1]
    known &= found(truth, [boxes[i] for i in falling], [scores[i] for i in falling]) == expected

# a box whose overlap with the object is known: 10 x 10 pixels and n of its columns
for begin, end, step, columns in ((0.1, 0.3, 0.1, 3.5), (0.5, 0.75, 0.05, 7.75), (0.5, 0.95, 0.05, 7.75)):
    box = [0, 0, columns - 1, 9]
    thresholds = [begin + i * step for i in range(round((end - begin) / step) + 1)]
    expected = round(sum(columns / 10 >= t for t in thresholds) / len(thresholds), 4)
    result = {"boxes": [box], "labels": [1], "scores": [1.0]}
    seen = round(calculate_map_range({"boxes": [true], "labels": [1]}, result, begin, end, step), 4)
    print(f"from {begin} to {end} by {step}, of a box with an overlap of {columns / 10}: expected {expected}, seen {seen}")
    known &= (seen == expected) == (end == 0.95)
raise SystemExit(not known)
PYTHON
