#!/usr/bin/env bash
# segmentation-models-pytorch 0.6.0, networks, losses and scores for segmentation: get_stats counts no further than 16,777,216 pixels of a class in an image.
# One would expect of get_stats what its docs say, "true positive, false positive, false negative, true negative 'pixels' for each image and each class",
# of mode='multiclass' with "shape (N, ...)", with no limit of size; and of iou_score of a class that is missed in 30% of its pixels 0.7.
# Seen, with one thread, of an image of 5000 x 5000 pixels that is all class 0, called class 1 in 30%: 16,777,216 found and none missed for 17,500,000 and
# 7,500,000, and IoU 1.0. With 5%, 10%, 20% and 30% called wrong all have 1.0, with 40% 0.89 for 0.6, with 50% 0.75 for 0.5; recall and accuracy are as wrong.
# With two threads the same image is right, so that the score depends on the number of threads. The image in four tiles, images of 4000 x 4000, and
# mode='multilabel' of the same masks are right.
# No warning; mmsegmentation's tracker named the like there, this library's does not. (It counts in floats of 32 bits, which have no number next to 2 ** 24.)
# The code has been so since 0.3.0 at least.
# Whole satellite scenes, slides of tissue and volumes of 300 x 300 x 300 voxels are larger: what is missed of their commonest class does not count.
# `wsss` has its own count, in whole numbers of 64 bits: its confusion() of this image has 17,500,000 and 7,500,000.
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


def scores(truth, predicted, threads=1, pieces=1):
    """Of class 0: pixels found, false and missed, IoU, recall; of arrays of (images, height, width), added up over tiles."""
    torch.set_num_threads(threads)
    sums = 0
    for some, others in zip(np.array_split(truth, pieces, axis=1), np.array_split(predicted, pieces, axis=1)):
        stats = metrics.get_stats(torch.from_numpy(others), torch.from_numpy(some), mode="multiclass", num_classes=2)
        sums = sums + torch.stack(stats).sum(1, keepdim=True)
    found, false, missed, _ = sums[:, 0, 0].tolist()
    iou, recall = (float(one(*sums)[0, 0]) for one in (metrics.iou_score, metrics.recall))
    return found, false, missed, round(iou, 2), round(recall, 2)


def counted(truth, predicted):
    """The same by NumPy."""
    there, called = truth == 0, predicted == 0
    found, false, missed = (int(np.count_nonzero(one)) for one in (there & called, ~there & called, there & ~called))
    return found, false, missed, round(found / (found + false + missed), 2), round(found / (found + missed), 2)


def images(side, share):
    """An image that is all class 0, and one in which a share of the columns is called class 1."""
    truth = np.zeros((1, side, side), np.int64)
    predicted = truth.copy()
    predicted[..., : round(side * share)] = 1
    return truth, predicted


print("segmentation-models-pytorch", version("segmentation-models-pytorch"))
known = True
print("class 0 in 5000 x 5000 pixels, all of class 0: pixels found, false, missed, IoU, recall")
for share, wrong in ((0.05, 1.0), (0.1, 1.0), (0.2, 1.0), (0.3, 1.0), (0.4, 0.89), (0.5, 0.75)):
    truth, predicted = images(5000, share)
    expected, seen = counted(truth, predicted), scores(truth, predicted)
    print(f"{share:.0%} called class 1: expected {expected}, seen {seen}")
    known &= expected[3] == round(1 - share, 2) and seen[3] == seen[4] == wrong and seen[0] + seen[2] == 2**24

truth, predicted = images(5000, 0.3)
expected, both, tiles = counted(truth, predicted), scores(truth, predicted, threads=2), scores(truth, predicted, pieces=4)
print(f"30% with two threads: expected {expected}, seen {both}; in four tiles, one thread: seen {tiles}")
known &= expected == both == tiles
hot = [torch.from_numpy(np.stack([one == 0, one == 1], 1).astype(np.int64)) for one in (predicted, truth)]
torch.set_num_threads(1)
seen = [int(one[0, 0]) for one in metrics.get_stats(*hot, mode="multilabel")][:3]
print(f"30% as multilabel, one thread: expected {list(expected[:3])}, seen {seen}")
known &= seen == list(expected[:3])
truth, predicted = images(4000, 0.3)
expected, seen = counted(truth, predicted), scores(truth, predicted)
print(f"4000 x 4000, 30%: expected {expected}, seen {seen}")
raise SystemExit(not (known and expected == seen))
PYTHON
