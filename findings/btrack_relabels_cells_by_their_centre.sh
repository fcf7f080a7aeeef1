#!/usr/bin/env bash
# btrack 0.7.0, tracks of cells by Bayesian linking: back in the masks, bent cells are lost or give others their track, and tracks above 255 flow together.
# One would expect of utils.update_segmentation what its docs say, an "Array containing the same masks as segmentation but relabeled to maintain single cell
# identity over time".
# Seen, of 20 videos of three frames with 12 round cells and 12 arcs or rings around or beside them each, none of which moves, and a track for each cell: of the
# 720 masks of arcs 543 have no track, and are background now; of the 720 of round cells 45 have the track of the ring around them, the others their own.
# Of 300 tracks of round cells, 4 a frame, in masks of 8 bits: track 256 is background, and 257 to 300 are written as 1 to 44, which other cells have. In masks
# of 16 bits all are right, and so are 252 tracks in 8 bits.
# No warning, and its tracker does not name it. (A track's cell is looked for at its centre, rounded down, which lies outside of a bent cell; the ids are
# written in the type of the masks that are given, which need to hold a frame's labels only.)
# Neurons, crawling cells and cells around others are bent. The masks that come out are used as tracked labels: cells are missing in them for some frames
# or all, and one is painted as another.
# `wsss` does not use btrack.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "btrack==0.7.0" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" "pandas==3.1.1" \
  "h5py==3.16.0" "cvxopt==1.3.3" "pydantic==2.14.4" "pooch==1.9.0" "tqdm==4.70.1" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import logging
from importlib.metadata import version

import numpy as np
from btrack import utils
from btrack.btypes import Tracklet
from skimage.measure import label

logging.disable(logging.WARNING)


def video(seed, frames=3):
    """Labels of cells that do not move, and which of them are bent: each such lies around a round one, or beside it."""
    chance = np.random.default_rng(seed)
    rows, columns = np.indices((40, 40))
    image, bent = np.zeros((120, 160), int), []
    for k in range(12):
        distance = np.hypot(rows - 20, columns - 20)
        arc = (distance < 18) & (distance >= 12 + chance.integers(3)) & (columns < chance.integers(6, 38))
        round_cell = np.hypot(rows - 20, columns - 20 - chance.integers(-2, 6)) < 5 + chance.integers(3)
        place = image[40 * (k // 4) : 40 * (k // 4) + 40, 40 * (k % 4) : 40 * (k % 4) + 40]
        place[arc], place[round_cell] = 2 * k + 1, 2 * k + 2
    labels = label(image)
    bent = {int(one) for one in np.unique(labels[image % 2 == 1])}
    return np.repeat(labels[None], frames, 0), bent


def tracks_of(objects, numbers):
    """A track for each number, of the objects with that number."""
    return [Tracklet(ID=int(number), data=[one for one, name in zip(objects, numbers) if name == number]) for number in np.unique(numbers)]


print("btrack", version("btrack"))
count = {"bent": [0, 0, 0], "round": [0, 0, 0]}
for seed in range(20):
    masks, bent = video(seed)
    objects = utils.segmentation_to_objects(masks)
    names = np.tile(np.arange(1, masks.max() + 1), len(masks))
    assert len(objects) == len(names)
    ids = np.random.default_rng(seed).permutation(1000 + np.arange(masks.max() + 1))
    seen = utils.update_segmentation(masks, tracks_of(objects, ids[names]))
    for frame, old in zip(seen, masks):
        for name in range(1, masks.max() + 1):
            (value,) = np.unique(frame[old == name])
            count["bent" if name in bent else "round"][0 if value == ids[name] else 1 if value == 0 else 2] += 1
for kind, (right, none, other) in count.items():
    print(f"{kind} cells' masks: expected 720 with their track, 0 without, 0 with another, seen {right}, {none}, {other}")

rows, columns = np.indices((40, 160))
known = count == {"bent": [177, 543, 0], "round": [675, 0, 45]}
frame = label(np.hypot(rows - 20, columns % 40 - 20) < 10)
for dtype, frames in ((np.uint8, 75), (np.uint16, 75), (np.uint8, 63)):
    masks = np.repeat(frame[None], frames, 0).astype(dtype)
    numbers = np.arange(1, 4 * frames + 1)
    seen = utils.update_segmentation(masks, tracks_of(utils.segmentation_to_objects(masks), numbers))
    written = np.array([seen[k // 4][frame == k % 4 + 1][0] for k in range(4 * frames)])
    wrong = written[written != numbers].tolist()
    print(f"{4 * frames} tracks, {np.dtype(dtype)}: wrong expected 0, seen {len(wrong)}, written as {wrong[:3]} to {wrong[-1:]}")
    known &= wrong == (list(range(45)) if dtype == np.uint8 and frames == 75 else [])
raise SystemExit(not known)
PYTHON
