#!/usr/bin/env bash
# EMPatches 0.2.3, which cuts images and batches into patches and merges them: batches in PyTorch's order come back with rows and columns exchanged.
# One would expect of merge_batch, whose docs say "merged_batch : a np array of shape BxCxHxW -> pytorch", the batch that patch_batch cut, as typ="tf" gives it.
# Seen, of a batch of shape (2, 3, 40, 60): (2, 3, 60, 40), each image mirrored at its diagonal; of square images, which are the rule in training, the shape is
# right and so nothing tells: of 2 x 3 x 64 x 64 values 24,098 of 24,576 stand elsewhere. So in all four modes. No warning. typ="tf" is right, and so is
# merge_patches, for single images.
# (Its axes are put back in the order 0, 3, 2, 1, where those of a batch of H x W x C need 0, 3, 1, 2. An issue that quotes the line was about something else.)
# In 0.2.0 and 0.2.2 PyTorch's batches failed instead.
# Who predicts patch by patch and lays the merged masks over the images, or scores them against their masks, has them turned: objects stand elsewhere.
# `wsss` does not use EMPatches.
# (A NumPy array with PyTorch's `permute` stands in for its tensor, to spare the download; with PyTorch 2.14.1 it is the same.)
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "empatches==0.2.3" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from empatches import BatchPatching


class Tensor(np.ndarray):
    def permute(self, *axes):
        return self.transpose(axes)


print("EMPatches", version("empatches"))
random = np.random.default_rng(0)
known = True
for shape in ((2, 3, 40, 60), (2, 3, 64, 64), (2, 1, 64, 64)):
    batch = random.integers(0, 256, shape).astype(np.float32)
    for mode in ("overwrite", "max", "min", "avg"):
        cut = BatchPatching(patchsize=32, overlap=0.2, typ="torch")
        patches, indices = cut.patch_batch(batch.view(Tensor))
        assert all(patch.shape == (32, 32, shape[1]) for image in patches for patch in image)
        merged = np.asarray(cut.merge_batch(patches, indices, mode=mode))
        turned = np.array_equal(merged, batch.swapaxes(2, 3))
        known &= turned and not (merged.shape == shape and np.array_equal(merged, batch))
    elsewhere = int((merged != batch).sum()) if merged.shape == shape else "all"
    print(f"a batch of {shape}: shape expected {shape}, seen {merged.shape}; values elsewhere expected 0, seen {elsewhere}; mirrored at the diagonal: {turned}")
    last = batch.transpose(0, 2, 3, 1)
    cut = BatchPatching(patchsize=32, overlap=0.2, typ="tf")
    right = np.array_equal(cut.merge_batch(*cut.patch_batch(last)), last)
    print("as typ='tf' it is right:", right)
    known &= right

mask = np.zeros((1, 1, 64, 64), np.float32)
mask[0, 0, 5:15, 40:60] = 1
cut = BatchPatching(patchsize=32, overlap=0.2, typ="torch")
merged = np.asarray(cut.merge_batch(*cut.patch_batch(mask.view(Tensor)), mode="max"))
rows, columns = np.nonzero(merged[0, 0])
print(f"an object in rows 5 to 14, columns 40 to 59: seen in rows {rows.min()} to {rows.max()}, columns {columns.min()} to {columns.max()}")
overlap = int((mask * merged).sum())
print(f"pixels of it that are met: expected {int(mask.sum())}, seen {overlap}")
raise SystemExit(not (known and overlap == 0))
PYTHON
