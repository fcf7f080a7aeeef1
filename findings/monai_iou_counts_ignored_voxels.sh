#!/usr/bin/env bash
# MONAI 1.6.1, medical imaging in PyTorch: MeanIoU(ignore_index=...) counts voxels of the class to be ignored, as false ones of the other classes.
# One would expect of ignore_index what its docs say, "Voxels with this label are excluded from the score, which is useful for padding, unlabeled regions, or
# boundary artifacts", as DiceMetric and GeneralizedDiceScore, with the same words, do.
# Seen, of an image of four classes with ignore_index=3 and a result that is right in all other voxels, and class 1 in those of class 3: IoU 1.0, 0.47 and 1.0
# for the classes 0 to 2, with 1.0 expected; Dice is 1.0 by DiceMetric. Of 40 random images whose result is right wherever it counts and says what it likes
# elsewhere, MeanIoU is 0.785 on average, Dice 1.0; with a quarter of the voxels wrong it is 0.484 for 0.585. With the ignored voxels given as no class at
# all, and a number beyond the classes as ignore_index, all are right.
# Seen besides: ConfusionMatrixMetric, which has the same words, has precision 0.82 for the first of these results, and its accuracy holds the ignored class
# for a fourth one that is always right, so that it is 0.57 where all that counts is wrong, for 0.33.
# No warning; its tracker has the request and the change that brought it, in 1.6.1, and does not name this. (It clears the channel of that class, but masks
# nothing in the others.)
# Unlabelled and uncertain regions are where a network is free to say anything: IoU falls by what it says there, and IoU and Dice of one result disagree.
# `wsss` does not use MONAI; its own scores leave ignored pixels out of all classes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "monai==1.6.1" "torch==2.14.1" "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import torch
from monai.metrics import ConfusionMatrixMetric, DiceMetric, GeneralizedDiceScore, MeanIoU

CLASSES, IGNORED = 4, 3


def channels(labels):
    """A channel for each class; none for what is less than 0."""
    return torch.from_numpy(np.stack([labels == k for k in range(CLASSES)], 1).astype(np.float32))


def score(metric, truth, predicted):
    metric(channels(predicted), channels(truth))
    value = metric.aggregate()
    return float(value[0] if isinstance(value, list) else value)


def by_class(metric, truth, predicted):
    return [round(float(one), 3) for one in metric(channels(predicted), channels(truth))[0][:IGNORED]]


def iou(truth, predicted):
    """By NumPy, the mean over the classes that count, of voxels whose label counts."""
    counts = truth != IGNORED
    both = [((truth == k) & (predicted == k) & counts).sum() for k in range(IGNORED)]
    either = [(((truth == k) | (predicted == k)) & counts).sum() for k in range(IGNORED)]
    return float(np.mean(np.divide(both, either)))


print("monai", version("monai"))
random = np.random.default_rng(0)
truth = random.integers(0, CLASSES, (1, 32, 32))
predicted = np.where(truth == IGNORED, 1, truth)
seen, dice = by_class(MeanIoU(ignore_index=IGNORED), truth, predicted), by_class(DiceMetric(ignore_index=IGNORED), truth, predicted)
print(f"right but where it does not count: expected IoU 1.0 for the classes 0 to 2, seen {seen}; Dice {dice}")
known = dice == [1.0] * 3 and seen[0] == seen[2] == 1.0 and seen[1] < 0.6
cells = {}
for name in ("precision", "f1 score", "accuracy", "sensitivity"):
    cells[name] = round(score(ConfusionMatrixMetric(metric_name=name, ignore_index=IGNORED, compute_sample=True), truth, predicted), 3)
print(f"by ConfusionMatrixMetric: expected 1.0 by all, seen {cells}")
known &= cells["precision"] < 0.9 and cells["accuracy"] < 1 and cells["sensitivity"] == 1
wrong = (truth + 1) % IGNORED
counts = truth != IGNORED
accuracy = round(score(ConfusionMatrixMetric(metric_name="accuracy", ignore_index=IGNORED), truth, wrong), 3)
expected = round(float(np.mean([((truth == k) == (wrong == k))[counts].mean() for k in range(IGNORED)])), 3)
print(f"its accuracy, mean of the classes, where all that counts is wrong: expected {expected}, seen {accuracy}")
known &= accuracy > 0.5 and expected < 0.4

ways = {"MeanIoU": MeanIoU, "DiceMetric": DiceMetric, "GeneralizedDiceScore": GeneralizedDiceScore}
means = {name: [] for name in (*ways, "quarter", "quarter expected", "no class")}
for seed in range(40):
    random = np.random.default_rng(seed)
    truth = random.choice(CLASSES, (1, 32, 32), p=[0.4, 0.2, 0.2, 0.2])
    counts = truth != IGNORED
    predicted = np.where(counts, truth, random.integers(0, IGNORED, truth.shape))
    for name, way in ways.items():
        means[name].append(score(way(ignore_index=IGNORED), truth, predicted))
    predicted = np.where(random.random(truth.shape) < 0.25, (predicted + 1) % IGNORED, predicted)
    means["quarter"].append(score(MeanIoU(ignore_index=IGNORED), truth, predicted))
    means["quarter expected"].append(iou(truth, predicted))
    means["no class"].append(score(MeanIoU(ignore_index=255), np.where(counts, truth, -1), predicted))
mean = {name: round(float(np.mean(values)), 3) for name, values in means.items()}
print("40 images, right where it counts: expected 1.0, seen", {name: mean[name] for name in ways})
print(f"a quarter wrong: expected IoU {mean['quarter expected']}, seen {mean['quarter']}; with ignored voxels of no class {mean['no class']}")
known &= mean["MeanIoU"] < 0.9 and mean["DiceMetric"] == mean["GeneralizedDiceScore"] == 1.0
raise SystemExit(not (known and mean["quarter"] < mean["quarter expected"] - 0.05 and mean["no class"] == mean["quarter expected"]))
PYTHON
