#!/usr/bin/env bash
# PyMIC 0.6.2, medical images from few or weak labels: flips in depth never turn volumes but exchange colours, and resizing in 2D gives all volumes one depth.
# One would expect of its transforms what their docs say: RandomFlip_flip_depth "Random flip along depth axis or not, only used for 3D images"; of Rescale
# with None for the depth that "the input image is only reslcaled in 2D"; RandomRotate_probability and RandomRescale_probability "The probability of applying".
# Seen, of 400 draws with flip_depth alone: of a volume 0 flipped, for about 200; of a photograph 207 with red and blue exchanged, for 0. Flips in height and
# width come 182 to 209 times, for both.
# Of 20 volumes of 11 to 60 slices, each of another depth, rescaled by one Rescale of [None, 32, 32], 19 come out with the 11 slices of the first; of 380
# lesions of one slice in these 252 are gone from the labels. A new Rescale for each volume keeps all slices and all lesions.
# With a probability of 0 both RandomRotate and RandomRescale change 200 of 200 images, as with 1, for 0.
# No warning, and its tracker does not name it. (It asks for 3 axes, which a volume, with its channel, has not and an image has; the first volume's depth is
# written into the settings; the two probabilities are read and not asked.)
# Slices are averaged and small lesions lost by the order of the cases, in training and when predicting; and networks of 2D see images in other colours.
# `wsss` does not use PyMIC.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "torch==2.13.0" "numpy==2.4.6" "scipy==1.17.1" "pandas==3.0.6" "scikit-image==0.26.0" "SimpleITK==2.5.7" "imops==0.11.0" "h5py==3.16.0"
install --no-deps "pymic==0.6.2"
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import random
from importlib.metadata import version

import numpy as np
from pymic import TaskType
from pymic.transform.flip import RandomFlip
from pymic.transform.rescale import RandomRescale, Rescale
from pymic.transform.rotate import RandomRotate


def made(transform, **settings):
    """A transform with settings in small letters, as the reader of PyMIC's configuration gives them."""
    return transform({f"{transform.__name__}_{name}".lower(): value for name, value in settings.items()} | {"task": TaskType.SEGMENTATION})


print("pymic", version("pymic"))
known = True
random.seed(0)
np.random.seed(0)
chance = np.random.default_rng(0)
volume, photograph = chance.random((1, 9, 16, 20)), chance.random((3, 16, 20))
for side, axis in (("depth", 1), ("height", -2), ("width", -1)):
    flip = made(RandomFlip, **{f"flip_{one}": one == side for one in ("depth", "height", "width")})
    of_volume = sum(np.array_equal(flip({"image": volume.copy()})["image"], np.flip(volume, axis)) for _ in range(400))
    swapped = sum(np.array_equal(flip({"image": photograph.copy()})["image"], np.flip(photograph, 0 if side == "depth" else axis)) for _ in range(400))
    right = "0" if side == "depth" else "about 200"
    print(f"flip_{side}, 400 times: a volume expected about 200, seen {of_volume}; a photograph expected {right}, seen {swapped}")
    known &= (of_volume == 0 if side == "depth" else 150 < of_volume < 250) and 150 < swapped < 250

depths = [11] + [int(depth) for depth in chance.permutation(np.arange(12, 61))[:19]]
once, other, lesions, lost, lost_by_new = made(Rescale, output_size=[None, 32, 32]), 0, 0, 0, 0
for number, depth in enumerate(depths):
    label = np.zeros((1, depth, 64, 64), np.uint8)
    for lesion in range(20):
        y, x = 12 * (lesion // 5) + 4, 12 * (lesion % 5) + 2
        label[0, int(chance.integers(depth)), y : y + 8, x : x + 8] = lesion + 1
    image = chance.random((1, depth, 64, 64))
    seen, new = (one({"image": image.copy(), "label": label.copy()}) for one in (once, made(Rescale, output_size=[None, 32, 32])))
    known &= new["image"].shape == (1, depth, 32, 32) and seen["image"].shape == (1, 11, 32, 32)
    other += seen["image"].shape[1] != depth
    if number:
        lesions += 20
        lost += 20 - int(np.count_nonzero(np.unique(seen["label"])))
        lost_by_new += 20 - int(np.count_nonzero(np.unique(new["label"])))
print(f"20 volumes of {min(depths)} to {max(depths)} slices by one Rescale: expected 0 with other slices, seen {other} with {seen['image'].shape[1]}")
print(f"of {lesions} lesions in the 19 after the first expected 0 gone, seen {lost}; with a new Rescale for each {lost_by_new}")
known &= lost > 150 and lost_by_new == 0

for transform, settings in (
    (RandomRotate, {"angle_range_d": (10, 30)}),
    (RandomRescale, {"lower_bound": [0.5, 0.5], "upper_bound": [0.7, 0.7]}),
):
    changed = []
    for probability in (0.0, 1.0):
        one = made(transform, probability=probability, **settings)
        changed.append(sum(not np.array_equal(one({"image": photograph.copy()})["image"], photograph) for _ in range(200)))
    print(f"{transform.__name__} with a probability of 0 and of 1: changed expected [0, 200], seen {changed}")
    known &= changed == [200, 200]
raise SystemExit(not known)
PYTHON
