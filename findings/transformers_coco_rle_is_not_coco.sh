#!/usr/bin/env bash
# Transformers 5.24.0: what post_process_instance_segmentation returns with return_coco_annotation=True is no COCO run lengths.
# One would expect, as its docs say, "COCO run-length encoding (RLE) format", a list for each object of `segments_info`, and where objects overlap "the
# correct segmentation result": lengths of nothing and object by turns, down the columns, which add up to the image, as pycocotools writes and reads them.
# Seen, of two objects that overlap by 60 pixels, from outputs as Mask2Former gives them: three lists, of which the first is the background's; in each,
# pairs of where a run begins, counted from 1 along the rows, and how long it is; and of one object the 60 pixels are missing.  Read as COCO's lengths
# such a list is as many pixels, none of which the object has.  (return_binary_maps=True gives both objects whole: encode those with pycocotools.)
# The code has been so since 4.25.1 at least, in MaskFormer, DETR and the others with this argument.  Who writes predictions or pseudo-labels so gets
# scores near 0, or trains on stray pixels, under the next object's class if lists and `segments_info` are taken in turn.
# `wsss` does not use Transformers, and refuses run lengths that do not cover the image.
# It installs torch: about 6 GB in the temporary folder.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "transformers==5.24.0" "torch==2.14.1" "torchvision==0.29.1" "pycocotools==2.0.11" \
  "numpy==2.4.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HF_HUB_OFFLINE=1 HF_HOME=$here venv/bin/python - <<'PYTHON' 2>warnings
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from pycocotools import mask as coco

height, width = 192, 384  # which the processor resizes to 384 x 384 and back without loss
objects = torch.zeros(2, height, width)
objects[0, 8:20, 40:60] = 1
objects[1, 14:22, 50:80] = 1
logits = 20 * torch.nn.functional.interpolate(objects[None], size=(384, 384), mode="nearest") - 10
classes = torch.tensor([[[10.0, -10, -10], [-10, 9, -10]]])
outputs = SimpleNamespace(class_queries_logits=classes, masks_queries_logits=logits)
read = transformers.Mask2FormerImageProcessor().post_process_instance_segmentation
maps = read(outputs, target_sizes=[(height, width)], return_binary_maps=True)[0]["segmentation"].numpy().astype(np.uint8)
result = read(outputs, target_sizes=[(height, width)], return_coco_annotation=True)[0]
lists = result["segmentation"]


def runs(mask):
    """The lengths that COCO's format asks for."""
    flat = np.concatenate([[0], mask.ravel(order="F")])
    return np.diff(np.concatenate([[0], np.flatnonzero(np.diff(flat)), [mask.size]])).tolist()


def drawn(counts):
    """The mask that COCO's format says these lengths are, empty behind the last."""
    flat = np.repeat(np.arange(len(counts), dtype=np.uint8) % 2, counts)
    return np.pad(flat, (0, height * width - flat.size)).reshape(height, width, order="F")


print("transformers", transformers.__version__)
print("objects", len(result["segments_info"]), "lists", len(lists))
whole, bad = [], len(lists) != 3 or len(maps) != 2
for mask, counts in zip(maps, lists[1:], strict=True):
    expected = runs(mask)
    known = coco.frPyObjects({"counts": expected, "size": [height, width]}, height, width)
    assert (coco.decode(known) == mask).all() and (drawn(expected) == mask).all()
    print("expected", expected[:6], "adding up to", sum(expected), "seen", counts[:6], "adding up to", sum(counts))
    decoded, pairs = drawn(counts), np.zeros(height * width, np.uint8)
    for begin, length in zip(counts[::2], counts[1::2], strict=True):
        pairs[begin - 1 : begin - 1 + length] = 1
    pairs = pairs.reshape(height, width)
    print("  pixels of the object", mask.sum(), "as COCO's", decoded.sum(), "of them the object's", (decoded & mask).sum(), "as pairs", pairs.sum())
    whole.append(bool((pairs == mask).all()))
    bad |= bool((decoded & mask).any()) or not decoded.any() or bool((pairs & ~mask & 1).any())
raise SystemExit(bad or sorted(whole) != [False, True])
PYTHON
