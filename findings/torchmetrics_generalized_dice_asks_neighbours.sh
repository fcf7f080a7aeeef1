#!/usr/bin/env bash
# TorchMetrics 1.9.0, scores for PyTorch: the generalized Dice score of an image depends on which images are in the batch with it, and on their order.
# One would expect of generalized_dice_score, whose weights are by its docs one over the square of the class's pixels, a score of an image by itself; its
# own functions give one for each image of a batch.
# Seen, of an image whose left half is class 1, as it should be, and whose right half is taken for class 2, of which it has nothing: 1.0 alone, 0.305 before
# an image of all classes, 0.356 after it, and 0.0001 and 0.000008 beside one whose objects are small; by MONAI's rule, the greatest weight of the image for
# what is absent, 0.667. Of 40 batches of four images with a fifth of the pixels wrong all 120 images that lack a class have another score alone or in another
# order, 0.15 apart on average and 0.38 at most; the 40 images that have all classes are right. A set of 48 images has 0.84 in batches of one, 0.77 of two,
# 0.74 of four and 0.72 at once.
# No warning; its tracker names that absent classes score 0 by class, not this. (In the place of an infinite weight comes the greatest of the batch, but of
# another class, as the table is turned before it is laid flat; with none in the batch it is 0, so that what is false does not count.)
# The code has been so since 1.4.0 at least.
# Most images of a data set lack some class: who compares networks at other batch sizes, or shuffled, compares batches.
# `wsss` does not use it; its optional benches time another function of TorchMetrics.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "torchmetrics==1.9.0" "torch==2.14.1" "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import torch
from torchmetrics.functional.segmentation import generalized_dice_score
from torchmetrics.segmentation import GeneralizedDiceScore

OPTIONS = {"num_classes": 4, "input_format": "index", "include_background": False}


def images(random, present):
    """Images with the classes given for each, and a result that is wrong in about a fifth of the pixels."""
    truth = np.stack([random.choice(classes, (32, 32)) for classes in present])
    return truth, np.where(random.random(truth.shape) < 0.25, random.integers(0, 4, truth.shape), truth)


def together(truth, predicted):
    return generalized_dice_score(torch.from_numpy(predicted), torch.from_numpy(truth), **OPTIONS).numpy()


def turned(truth, predicted):
    """The scores of a batch that is handed over from behind, in the old order."""
    return together(truth[::-1].copy(), predicted[::-1].copy())[::-1]


def alone(truth, predicted):
    return np.concatenate([together(truth[k : k + 1], predicted[k : k + 1]) for k in range(len(truth))])


def by_hand(truth, predicted):
    """By NumPy: the weights are one over the square of a class's pixels; an absent one has the greatest weight of its image."""
    values = []
    for some, others in zip(truth, predicted):
        there, found = (np.array([(one == k).sum() for k in (1, 2, 3)], float) for one in (some, others))
        weights = np.divide(1, there**2, out=np.zeros(3), where=there > 0)
        weights[there == 0] = weights.max()
        common = np.array([((some == k) & (others == k)).sum() for k in (1, 2, 3)])
        values.append(2 * (weights * common).sum() / (weights * (there + found)).sum())
    return np.array(values)


print("torchmetrics", version("torchmetrics"))
half = np.zeros((32, 32), int)
half[:, :16] = 1
false = half.copy()
false[:, 16:] = 2
small = np.zeros((32, 32), int)
small[:2, :2], small[4:6, 4:6], small[8, 8] = 1, 2, 3
known = True
for name, other, wanted in (("all classes", np.random.default_rng(0).integers(0, 4, (32, 32)), [0.305, 0.356]), ("small objects", small, [0.000122, 0.000008])):
    truth, predicted = np.stack([half, other]), np.stack([false, other])
    one = [float(way(truth, predicted)[0]) for way in (by_hand, alone, together, turned)]
    print(f"half of the image false, beside one of {name}: by hand {one[0]:.3f}, alone {one[1]:.3f}, first {one[2]:.6f}, last {one[3]:.6f}")
    known &= abs(one[0] - 2 / 3) < 1e-3 and one[1] == 1 and np.allclose(one[2:], wanted, rtol=0.05)

whole, lacking, apart, right = 0, 0, [], 0
for seed in range(40):
    truth, predicted = images(np.random.default_rng(seed), [[0, 1, 2, 3], [0, 1, 2], [0, 1, 3], [0, 1]])
    spread = np.ptp([way(truth, predicted) for way in (alone, together, turned)], axis=0)
    whole, lacking = whole + (spread[0] > 1e-4), lacking + int((spread[1:] > 1e-4).sum())
    apart += spread[1:].tolist()
    right += bool(np.isclose(together(truth, predicted)[0], by_hand(truth, predicted)[0], atol=1e-4))
print(f"images with all classes: expected 0 of 40 with several scores, seen {whole}; as by hand {right}")
print(f"images that lack a class: expected 0 of 120, seen {lacking}, {np.mean(apart):.2f} apart on average, {max(apart):.2f} at most")
known &= whole == 0 and right == 40 and lacking == 120 and np.mean(apart) > 0.1

random = np.random.default_rng(1)
truth, predicted = images(random, [[0, *random.choice([1, 2, 3], random.integers(1, 4), replace=False)] for _ in range(48)])
means = []
for size in (1, 2, 4, 48):
    metric = GeneralizedDiceScore(**OPTIONS)
    for k in range(0, 48, size):
        metric.update(torch.from_numpy(predicted[k : k + size]), torch.from_numpy(truth[k : k + size]))
    means.append(round(float(metric.compute()), 2))
print(f"48 images in batches of 1, 2, 4 and 48: expected one score, {by_hand(truth, predicted).mean():.2f} by hand, seen {means}")
raise SystemExit(not (known and means == [0.84, 0.77, 0.74, 0.72]))
PYTHON
