#!/usr/bin/env bash
# PyMIC 0.6.2, medical images from few or weak labels: its total variation loss of 2D images counts no border at all, but pixels that are unsure.
# One would expect of TotalVariationLoss, for predictions of "[N, C, D, H, W] or [N, C, H, W]" by its docs, the length of the borders between classes, the same
# for an image as for that image as a volume of one slice. It is the loss of its weakly supervised method of that name.
# Seen, of sure predictions of 2, 3 and 5 classes, half of the image one class and half another: 0.0312, 0.0208 and 0.0125 as volumes of one slice, as SciPy's
# filters give it; 0 as images. Of 20 images of random blobs in 2 to 5 classes, sure too, with 274 to 701 sides of border, all have 0, for 0.08 to 0.15.
# An image that is 0.7, 0.2 and 0.1 of three classes everywhere, without a border, has 0.033, for 0. Of 20 random unsure images of five classes 17 have another
# loss when the classes are listed in another order, as volumes none.
# No warning, and its tracker does not name it. (It asks whether the list of sides is 2, not how many they are: an image is pooled as a volume whose slices are
# the classes, and where one of them is sure the next ones are 0.)
# Who learns from scribbles or points with it, in 2D, has a term that makes pixels sure, right or wrong, in place of one that makes regions smooth.
# `wsss` does not use PyMIC.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "torch==2.13.0" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile --no-deps "pymic==0.6.2" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import torch
from pymic.loss.seg.ssl import TotalVariationLoss
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

torch.set_num_threads(1)
loss = TotalVariationLoss()


def image(logits):
    return loss({"prediction": logits})


def volume(logits):
    """The same with one slice: [N, C, 1, H, W]."""
    return loss({"prediction": logits[:, :, None]})


def by_scipy(logits):
    """In each class's map the least of 3 x 3 pixels, the most of these, and how much more that is."""
    maps = (torch.softmax(logits, 1) * 0.999 + 5e-4).numpy().reshape(-1, *logits.shape[2:])
    least = [minimum_filter(one, 3, mode="constant", cval=np.inf) for one in maps]
    return float(np.mean([np.maximum(maximum_filter(one, 3, mode="constant", cval=-np.inf) - one, 0) for one in least]))


def sure(labels, classes):
    return torch.nn.functional.one_hot(torch.from_numpy(labels), classes).permute(2, 0, 1)[None].float() * 30


def blobs(chance, classes, size=48):
    return np.stack([gaussian_filter(chance.standard_normal((size, size)), 3) for _ in range(classes)])


print("pymic", version("pymic"))
known = True
halves = np.repeat([[0] * 16 + [1] * 16], 32, 0)
for name, logits, right in (
    ("two classes, half and half", sure(halves, 2), 0.0312),
    ("three classes, half and half", sure(halves, 3), 0.0208),
    ("five classes, half and half", sure(halves, 5), 0.0125),
    ("one class everywhere", sure(halves * 0, 3), 0),
    ("0.7, 0.2 and 0.1 everywhere", torch.log(torch.tensor([0.7, 0.2, 0.1])).view(1, 3, 1, 1).expand(1, 3, 32, 32), 0.0),
):
    seen, one_slice, filters = image(logits).item(), volume(logits).item(), by_scipy(logits)
    print(f"{name}: expected {filters:.4f}, seen as a volume of one slice {one_slice:.4f}, as an image {seen:.4f}")
    known &= abs(one_slice - filters) < 1e-5 and abs(filters - right) < 1e-4 and abs(seen - (0.0333 if name.startswith("0.7") else 0)) < 1e-4

chance = np.random.default_rng(0)
lengths, seen, right, orders, orders_of_volumes = [], [], [], 0, 0
for number in range(20):
    classes = 2 + number % 4
    maps = blobs(chance, classes)
    labels = maps.argmax(0)
    lengths.append(int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum()))
    seen.append(image(sure(labels, classes)).item())
    right.append(volume(sure(labels, classes)).item())
    known &= abs(right[-1] - by_scipy(sure(labels, classes))) < 1e-5
    unsure = torch.from_numpy(chance.standard_normal((1, 5, 48, 48))).float()
    other = unsure[:, [0, 2, 4, 1, 3]]
    orders += abs(image(unsure) - image(other)).item() > 1e-5
    orders_of_volumes += abs(volume(unsure) - volume(other)).item() > 1e-5
print(f"20 images with {min(lengths)} to {max(lengths)} sides of border: expected {min(right):.3f} to {max(right):.3f}, seen {max(seen):.6f} at most")
print(f"classes in another order: expected another loss for 0 of 20, seen {orders}; as volumes {orders_of_volumes}")
known &= min(lengths) > 200 and max(seen) < 1e-6 and min(right) > 0.07 and (orders, orders_of_volumes) == (17, 0)
raise SystemExit(not known)
PYTHON
