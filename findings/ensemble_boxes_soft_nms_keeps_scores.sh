#!/usr/bin/env bash
# ensemble-boxes 1.0.9, which joins the boxes of several detectors: its soft NMS gives every box back with the score it came with.
# One would expect of soft_nms, which offers the "linear" and the "gaussian" method, what their paper (Soft-NMS, 2017) does and nothing else: instead of
# leaving out a box that overlaps a surer one it lowers that box's score, by the overlap, so that it comes last; "scores" are "confidence scores".
# Seen, of one object found by three detectors: all three boxes come back, with 0.9, 0.85 and 0.8 where 0.9, 0.14 and 0.03 are expected. With the defaults
# (sigma 0.5, thresh 0.001) no box of four detectors goes: on 200 images the result is what was put in, in another order, 4 boxes for each object.
# Average precision at an IoU of 0.5 there: 0.33 as returned, the same as with nothing done, 1.0 with the same boxes and the lowered scores, 1.0 by nms.
# Seen besides: with weights, nms and soft_nms change the caller's own list of scores: after a search over five thresholds the scores of two models are 1/32
# of what they were, and what is cut at 0.3 has nothing left; weighted_boxes_fusion and non_maximum_weighted leave them alone.
# No warning, and its tracker does not name it. (The lowered scores only choose and order the boxes; the returned ones are looked up in the list put in.)
# Who compares the four methods, as its README does, or sends in an ensemble made so, has a false detection for each further detector; the best method is
# chosen by it. An order by rank is right, but whoever scores sorts by score.
# `wsss` does not use ensemble-boxes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "ensemble-boxes==1.0.9" "numpy==2.4.6" "numba==0.68.1" "llvmlite==0.50.0" "pandas==3.1.1" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from ensemble_boxes import nms, non_maximum_weighted, soft_nms, weighted_boxes_fusion


def overlaps(box, boxes):
    """IoU of a box with each of others."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1) - shared)


def softened(boxes, scores, method, threshold=0.5, sigma=0.5):
    """Boxes with lowered scores, as the paper has it: the surest is taken, those that overlap it are lowered, and so on."""
    scores, taken = scores.copy(), []
    while len(taken) < len(boxes):
        rest = np.setdiff1d(np.arange(len(boxes)), taken)
        best = rest[scores[rest].argmax()]
        taken.append(best)
        rest = rest[rest != best]
        shared = overlaps(boxes[best], boxes[rest])
        scores[rest] *= np.exp(-(shared**2) / sigma) if method == 2 else np.where(shared > threshold, 1 - shared, 1)
    return boxes[taken], scores[taken]


def average_precision(images):
    """At an IoU of 0.5, all points; images as (objects, boxes, scores)."""
    rows, count = [], sum(len(objects) for objects, _, _ in images)
    for n, (_, boxes, scores) in enumerate(images):
        rows += [(-score, n, tuple(box)) for box, score in zip(boxes, scores)]
    found, hits = set(), []
    for _, n, box in sorted(rows):
        shared = overlaps(np.array(box), images[n][0])
        best = (n, int(shared.argmax()))
        hits.append(shared.max() >= 0.5 and best not in found)
        if hits[-1]:
            found.add(best)
    hits = np.array(hits)
    precision = np.maximum.accumulate((hits.cumsum() / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((precision * hits).sum() / count)


print("ensemble-boxes", version("ensemble-boxes"))
known = True
boxes = [[[0.1, 0.1, 0.3, 0.3]], [[0.1, 0.1, 0.3, 0.31]], [[0.11, 0.1, 0.3, 0.3]]]
scores, labels = [[0.9], [0.85], [0.8]], [[1], [1], [1]]
for name, method, limit in (("gaussian", 2, 3), ("linear", 1, 3)):
    _, wanted = softened(np.concatenate(boxes), np.concatenate(scores), method)
    _, seen, _ = soft_nms(boxes, scores, labels, method=method)
    print(f"{name}, one object found thrice: expected {wanted.round(2).tolist()}, seen {seen.tolist()}")
    known &= seen.tolist() == [0.9, 0.85, 0.8] and bool((np.sort(wanted)[:2] < 0.2).all())

random = np.random.default_rng(0)
images = {"nothing": [], "soft_nms": [], "lowered": [], "nms": []}
same = total = 0
for _ in range(200):
    places = random.permutation(16)[:5]
    objects = np.array([[x, y, x + w, y + h] for (x, y), (w, h) in zip(np.stack((places % 4, places // 4), 1) / 4 + 0.02, random.uniform(0.12, 0.2, (5, 2)))])
    found = [np.clip(objects + random.normal(0, 0.004, (5, 4)), 0, 1) for _ in range(4)]
    ease = random.uniform(0.3, 0.95, 5)
    sure = [np.clip(ease + random.normal(0, 0.03, 5), 0, 1) for _ in range(4)]
    seen, seen_scores, _ = soft_nms([one.tolist() for one in found], [one.tolist() for one in sure], [[1] * 5] * 4)
    together = np.concatenate(found), np.concatenate(sure)
    same += sorted(zip(seen_scores, map(tuple, seen))) == sorted(zip(together[1], map(tuple, together[0])))
    total += len(seen)
    images["nothing"].append((objects, *together))
    images["soft_nms"].append((objects, seen, seen_scores))
    images["lowered"].append((objects, *softened(*together, 2)))
    images["nms"].append((objects, *nms([one.tolist() for one in found], [one.tolist() for one in sure], [[1] * 5] * 4)[:2]))
values = {name: round(average_precision(rows), 2) for name, rows in images.items()}
print(f"200 images of 5 objects, 4 detectors: expected 0 results that are what was put in, seen {same}, {total / 1000:.1f} boxes an object")
print(f"average precision: expected {values['lowered']} (nms {values['nms']}), seen {values['soft_nms']} (nothing done: {values['nothing']})")
known &= same == 200 and values["soft_nms"] == values["nothing"] < 0.7 and values["lowered"] > 0.9 and values["nms"] > 0.9

boxes, labels = [[[0.1, 0.1, 0.3, 0.3]], [[0.5, 0.5, 0.8, 0.8]]], [[1], [1]]
for method, changes in ((nms, True), (soft_nms, True), (weighted_boxes_fusion, False), (non_maximum_weighted, False)):
    scores, kept = [[0.9], [0.8]], []
    for threshold in (0.4, 0.45, 0.5, 0.55, 0.6):
        kept.append(round(float(method(boxes, scores, labels, weights=[1, 1], iou_thr=threshold)[1].max()), 4))
    print(f"{method.__name__}, five thresholds: expected one and the same greatest score, seen {kept}; 0.9 and 0.8 are then {[float(one[0]) for one in scores]}")
    known &= (len(set(kept)) == 5 and kept[-1] < 0.05) == changes and (scores != [[0.9], [0.8]]) == changes
raise SystemExit(not known)
PYTHON
