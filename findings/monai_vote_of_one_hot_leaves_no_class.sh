#!/usr/bin/env bash
# MONAI 1.6.1, medical imaging in PyTorch: VoteEnsemble of masks in channels, one for each class, leaves voxels without a class where labels get one.
# One would expect what its docs say, that it "will vote to select the most common data between items", of "multiple channels data in One-Hot format or single
# channel data": the same class for a voxel in both.
# Seen, of a voxel that five models call 1, 1, 0, 2 and 3: class 1 from labels; from channels nothing, each of the four is 0. Of 10 images of 64 x 64 voxels
# and 4 classes, called by models each of which is right in 70%, those without a class are 48% with two models, 13% with three, 34% with four and 14%
# with five; from labels there are none, and all have one of the classes with most votes. By argmax of the channels, to which they are class 0, 61% are right
# with two, 82% with three and 74% with four models, from labels 70%, 83% and 87%: a fourth model makes the one worse and the other better. With two classes
# and an odd number of models both are the same.
# No warning, and its tracker does not name it. (It rounds the mean of each channel, so that a class needs more than half of all votes, and ties go to 0.)
# The code has been so since 0.9.0 at least.
# The models of five folds are joined so: what they disagree on has no class, background neither, and later counts as class 0 or as missed by all.
# `wsss` does not use MONAI.
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
from monai.transforms import VoteEnsemble


def votes(masks, classes):
    """The vote of label maps as such, and the channels of the vote of the same in channels."""
    from_labels = VoteEnsemble(num_classes=classes)([mask[None] for mask in masks])
    from_channels = VoteEnsemble()([np.stack([mask == k for k in range(classes)]).astype(np.float32) for mask in masks])
    return np.asarray(from_labels)[0].astype(int), np.asarray(from_channels).astype(int)


def called(random, truth, classes, models):
    """What models call the voxels, each right in 70% of them."""
    return [np.where(random.random(truth.shape) < 0.7, truth, (truth + random.integers(1, classes, truth.shape)) % classes) for _ in range(models)]


print("monai", version("monai"))
label, channels = votes([np.full((1, 1), k) for k in (1, 1, 0, 2, 3)], 4)
print(f"called 1, 1, 0, 2 and 3: expected class 1 by both, seen {label.item()} from labels, channels {channels.ravel().tolist()}")
known = label.item() == 1 and not channels.any()

rounded = {}
for classes, models in ((4, 2), (4, 3), (4, 4), (4, 5), (2, 3), (2, 5)):
    none, most, right, drawn = [], [], [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        truth = random.integers(0, classes, (64, 64))
        masks = called(random, truth, classes, models)
        labels, channels = votes(masks, classes)
        counts = sum(np.stack([mask == k for k in range(classes)]).astype(int) for mask in masks)
        none.append((channels.sum(0) == 0).mean())
        most.append((np.take_along_axis(counts, labels[None], 0)[0] == counts.max(0)).mean())
        right.append((labels == truth).mean())
        drawn.append((channels.argmax(0) == truth).mean())
    seen = rounded[classes, models] = [round(float(np.mean(values)), 2) for values in (none, most, right, drawn)]
    print(f"{classes} classes, {models} models: without a class expected 0, seen {seen[0]:.0%}; from labels one with most votes {seen[1]:.0%}")
    print(f"  right from labels {seen[2]:.0%}, from channels by argmax {seen[3]:.0%}")
known &= all(seen[0] > 0.1 and seen[3] < seen[2] for (classes, _), seen in rounded.items() if classes == 4)
known &= all(seen[0] == 0 and seen[2] == seen[3] for (classes, _), seen in rounded.items() if classes == 2)
known &= all(seen[1] == 1 for seen in rounded.values()) and rounded[4, 4][3] < rounded[4, 3][3] and rounded[4, 4][2] > rounded[4, 3][2]
raise SystemExit(not known)
PYTHON
