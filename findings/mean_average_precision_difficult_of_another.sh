#!/usr/bin/env bash
# mean-average-precision 2024.1.5.0, mAP of detected boxes: an object's marks "difficult" and "crowd" are taken for other objects, and difficult ones that
# should not count still count as missed.
# One would expect what PASCAL VOC says of difficult objects, neither missing nor finding one counts, and what the author answers in the tracker (#16), that
# they "do not contribute to metric"; so of an image whose ordinary objects are all found, and nothing false, 1.0, wherever the difficult ones are listed.
# Seen, of an ordinary and a difficult object, both found: 0.5; with the two listed the other way round the ordinary one is passed over and the difficult one
# counted as found; only the ordinary one found: 0.5. Of 40 images with 4 ordinary and 2 difficult objects, each ordinary one found exactly and nothing else:
# 0.525 for 1.0; with the difficult ones found as well 0.667. A worse detector, three of four ordinary ones and the difficult ones found, gets 0.600 for 0.75,
# more than the first.
# With every mark 0 it is right.
# No warning. Its tracker asks what the marks mean, no more. (For each prediction the list of marks should be repeated; each mark is repeated instead and then
# cut into rows, so that the first prediction gets the first object's mark for all objects; and the objects are counted before any is passed over.)  So since
# 2021.4.23.0 at least.
# PASCAL VOC and its kin mark many small and cut objects as difficult: scores lie lower, detectors rank otherwise, and the order of objects in a file matters.
# `wsss` does not use mean-average-precision.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mean-average-precision==2024.1.5.0" "numpy==2.4.6" "pandas==2.3.3" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from mean_average_precision import MetricBuilder


def measure(images):
    """AP and the last recall of images: (truth of (box, difficult), predictions of (box, score))."""
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=1)
    for truth, found in images:
        metric.add(
            np.array([[*box, 0, score] for box, score in found], float).reshape(-1, 6),
            np.array([[*box, 0, difficult, 0] for box, difficult in truth], float).reshape(-1, 7),
        )
    result = metric.value(iou_thresholds=0.5)
    return round(float(result["mAP"]), 3), result[0.5][0]["recall"].tolist()


def by_hand(images):
    """The same, of boxes that are either the same or apart: difficult objects neither count as objects, nor their finds as anything."""
    finds = sorted(((score, number, tuple(box)) for number, (_, found) in enumerate(images) for box, score in found), reverse=True)
    marks = {(number, tuple(box)): difficult for number, (truth, _) in enumerate(images) for box, difficult in truth}
    hits = [(number, box) in marks for _, number, box in finds if not marks.get((number, box))]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    count = sum(not difficult for difficult in marks.values())
    return round(float(sum(precision[i:].max() for i, hit in enumerate(hits) if hit)) / count, 3)


print("mean-average-precision", version("mean-average-precision"))
a, b = (0, 0, 20, 20), (100, 0, 120, 20)
both = [(a, 0.9), (b, 0.8)]
known = True
for name, images, wrong, recall in (
    ("ordinary a and difficult b, both found", [([(a, 0), (b, 1)], both)], 0.5, [0.5, 0.5]),
    ("difficult b and ordinary a, both found", [([(b, 1), (a, 0)], both)], 0.5, [0, 0.5]),
    ("ordinary a and difficult b, a found", [([(a, 0), (b, 1)], both[:1])], 0.5, [0.5]),
    ("ordinary a and b, both found", [([(a, 0), (b, 0)], both)], 1.0, [0.5, 1]),
):
    seen, recalls = measure(images)
    print(f"{name}: expected {by_hand(images)}, seen {seen}, recall by falling score {recalls}")
    known &= (seen, recalls) == (wrong, recall) and by_hand(images) == 1

random = np.random.default_rng(0)
ordinary, everything, worse, plain = [], [], [], []
for _ in range(40):
    boxes = [(100 * i, 0, 100 * i + 20, 20) for i in range(6)]
    marks = random.permutation([0, 0, 0, 0, 1, 1]).tolist()
    scores = random.uniform(0.1, 0.9, 6).tolist()
    truth = list(zip(boxes, marks))
    finds = list(zip(boxes, scores))
    easy = [find for find, mark in zip(finds, marks) if not mark]
    ordinary.append((truth, easy))
    everything.append((truth, finds))
    worse.append((truth, easy[:3] + [find for find, mark in zip(finds, marks) if mark]))
    plain.append(([(box, 0) for box in boxes], easy))
seen = []
for name, images in (
    ("all ordinary ones found", ordinary),
    ("the difficult ones as well", everything),
    ("three of four ordinary and all difficult ones", worse),
    ("no marks, four of six found", plain),
):
    seen.append(measure(images)[0])
    print(f"40 images, {name}: expected {by_hand(images)}, seen {seen[-1]}")
known &= seen[0] < 0.6 and seen[1] < 0.8 and seen[2] > seen[0] and abs(seen[3] - by_hand(plain)) < 0.001
raise SystemExit(not known)
PYTHON
