#!/usr/bin/env bash
# segmentation-models-pytorch 0.6.0, networks, losses and scores for segmentation: "weighted-imagewise" scores are divided by the number of classes.
# One would expect of this reduction what its docs say, "Compute score for each image and for each class on that image separately, then compute weighted
# average score on each image over labels and average image scores over dataset": 1 for a perfect result; with equal weights the same as "macro-imagewise".
# Seen, of a perfect result: 0.5 with 2 classes, 0.333 with 3, 0.25 with 4, 0.048 with 21, by IoU, F1, precision, recall, accuracy and five more. Of 40 sets
# of random images with random weights all 40 have the weighted average divided by the number of classes. reduction="weighted" is right for all.
# Seen besides: class_weights that are handed over with "macro" or "macro-imagewise", whose docs know no weights, divide these scores in the same way.
# No warning; its tracker has the same fault of "weighted" alone, mended there in 0.3.2. (Weights that add up to 1 are applied, and then the mean is taken.)
# The code has been so since 0.3.0 at least.
# The score cannot be told from that of a poor network, it falls with the number of classes, and thresholds on it (the best checkpoint above 0.5) are never met.
# `wsss` does not use segmentation-models-pytorch.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "segmentation-models-pytorch==0.6.0" "torch==2.14.1" "torchvision==0.29.1" \
  "timm==1.0.31" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import torch
from segmentation_models_pytorch import metrics

NAMES = ["iou_score", "f1_score", "fbeta_score", "accuracy", "precision", "recall", "sensitivity", "specificity", "balanced_accuracy"]
NAMES += ["negative_predictive_value"]


def images(random, classes, wrong):
    """Eight images of random classes, and a result that is wrong in a share of the pixels."""
    truth = random.integers(0, classes, (8, 16, 16))
    return truth, np.where(random.random(truth.shape) < wrong, random.integers(0, classes, truth.shape), truth)


def score(name, truth, predicted, classes, reduction, weights):
    stats = metrics.get_stats(torch.from_numpy(predicted), torch.from_numpy(truth), mode="multiclass", num_classes=classes)
    return float(getattr(metrics, name)(*stats, reduction=reduction, class_weights=weights))


def by_images(truth, predicted, classes, weights):
    """The weighted average of the classes' IoU in each image, averaged over images, by NumPy."""
    values = []
    for some, others in zip(truth, predicted):
        ious = [((some == k) & (others == k)).sum() / ((some == k) | (others == k)).sum() for k in range(classes)]
        values.append(np.average(ious, weights=weights))
    return float(np.mean(values))


print("segmentation-models-pytorch", version("segmentation-models-pytorch"))
known = True
random = np.random.default_rng(0)
for classes in (2, 3, 4, 21):
    truth, _ = images(random, classes, 0)
    weights = random.uniform(1, 5, classes).tolist()
    seen = {round(score(name, truth, truth, classes, "weighted-imagewise", weights), 3) for name in NAMES}
    whole = {round(score(name, truth, truth, classes, "weighted", weights), 3) for name in NAMES}
    print(f"a perfect result, {classes} classes: expected 1.0 by all {len(NAMES)} scores, seen {seen}; by 'weighted' {whole}")
    known &= seen == {round(1 / classes, 3)} and whole == {1.0}

right = divided = same = macro = 0
for seed in range(40):
    random = np.random.default_rng(seed)
    classes = int(random.integers(2, 7))
    truth, predicted = images(random, classes, random.uniform(0, 0.6))
    weights = random.uniform(1, 5, classes).tolist()
    expected = by_images(truth, predicted, classes, weights)
    seen = score("iou_score", truth, predicted, classes, "weighted-imagewise", weights)
    right += bool(np.isclose(seen, expected, atol=1e-4))
    divided += bool(np.isclose(seen * classes, expected, atol=1e-4))
    without = score("iou_score", truth, predicted, classes, "macro-imagewise", None)
    same += bool(np.isclose(without, by_images(truth, predicted, classes, None), atol=1e-4))
    macro += bool(np.isclose(score("iou_score", truth, predicted, classes, "macro-imagewise", [1.0] * classes) * classes, without, atol=1e-4))
    if seed == 0:
        print(f"{classes} classes, weights {np.round(weights, 2).tolist()}: expected IoU {expected:.3f}, seen {seen:.3f}")
print(f"sets of images that are right: expected 40 of 40, seen {right}; seen {divided} divided by the number of classes")
print(f"without weights, 'macro-imagewise': expected 40 right, seen {same}; the same with equal weights: expected 0 divided, seen {macro}")
raise SystemExit(not (known and right == 0 and divided == same == macro == 40))
PYTHON
