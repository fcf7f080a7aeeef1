#!/usr/bin/env bash
# xs3d 1.14.0, cross sections of segmented volumes and images: cross_sectional_area of a 2D image of labels takes all labels for one.
# One would expect what its docs say, "labels: a 2d or 3d numpy image" and "segid: which label to consider foreground": the length of the cut through that
# label, as through the image of that label alone, and as in a volume whose slices are all that image.
# Seen, of two regions of 20 and 15 pixels that lie side by side: 35 for each, and as much for a label that is not at the point at all, where 0 is right; as
# volumes of three slices 60 and 45, and 0. Of 60 squares in a row, whose labels are all different, each 10 pixels long, each cut is of 600. No warning.
# Seen besides, in images of bool too: cuts at an angle are up to 5 of 100 too short, of 50 x 60 pixels at 10 degrees 58.8 for 60.9; at 0, 45 and 90 degrees
# they are right, and so is the volume.
# (segid is not handed on to what works on images, which takes what is not 0; and there a pixel that is cut near a corner alone is left out.)
# So in 1.13.0 as well; the short cuts in 1.9.0 too, which has no segid.
# Who measures the width of cells, vessels or neurites in labelled images has the width of all that touch.
# `wsss` does not use xs3d.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "xs3d==1.14.0" "connected-components-3d==4.1.1" "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import xs3d


def flat(labels, place, normal, label):
    return round(float(xs3d.cross_sectional_area(labels, place, normal, segid=label)), 2)


def deep(labels, place, normal, label):
    """The cut through a volume of three such slices, each one voxel high, for one slice."""
    area = xs3d.cross_sectional_area(np.dstack([labels] * 3), [*place, 1], [*normal, 0], segid=label)
    return round(float(area) / 3, 2)


def run(labels, place, label):
    """How many pixels of a label lie in one piece along the first axis, the point among them."""
    column, start = labels[:, place[1]] == label, place[0]
    if not column[start]:
        return 0
    ends = np.flatnonzero(~column)
    before, after = ends[ends < start], ends[ends > start]
    return int((after[0] if len(after) else len(column)) - (before[-1] + 1 if len(before) else 0))


def chord(shape, place, normal):
    """The length of a line across the whole image, whose pixels have their centres at whole numbers."""
    along = np.array([-normal[1], normal[0]]) / np.hypot(*normal)
    with np.errstate(divide="ignore"):
        ends = np.sort([(-0.5 - np.array(place)) / along, (np.array(shape) - 0.5 - place) / along], axis=0)
    return round(float(ends[1].min() - ends[0].max()), 2)


print("xs3d", version("xs3d"))
labels = np.zeros((60, 50), np.uint8)
labels[10:30], labels[30:45] = 1, 2
row = np.repeat(np.arange(1, 61, dtype=np.uint16), 10)[:, None].repeat(20, 1)
normal, seen = (0, 1), {}
for name, image, place, label in (
    ("label 1, 20 pixels", labels, (20, 25), 1),
    ("label 2, 15 pixels", labels, (35, 25), 2),
    ("label 2 at a point of 1", labels, (20, 25), 2),
    ("one of 60 squares", row, (305, 10), 31),
):
    known = run(image, place, label)
    alone = round(float(xs3d.cross_sectional_area(image == label, place, normal)), 2)
    seen[name] = found = flat(image, place, normal, label)
    assert alone == known == deep(image, place, normal, label)
    print(f"{name}: expected {known}, seen {found}; of that label's image alone {alone}, of volumes {deep(image, place, normal, label)} a slice")
ratios = {}
for degrees in (0, 10, 20, 45, 70, 90):
    angle = np.radians(degrees)
    normal = (np.cos(angle).round(6), np.sin(angle).round(6))
    whole = np.ones((50, 60), np.uint8)
    known, found, volume = chord(whole.shape, (25, 30), normal), flat(whole, (25, 30), normal, 1), deep(whole, (25, 30), normal, 1)
    ratios[degrees] = found / known
    assert abs(volume - known) < 0.02 * known
    print(f"a cut at {degrees} degrees through 50 x 60 pixels: expected {known}, seen {found}; of volumes {volume} a slice")
raise SystemExit(
    list(seen.values()) != [35, 35, 35, 600]
    or any(abs(ratios[degrees] - 1) > 1e-3 for degrees in (0, 45, 90))
    or any(ratios[degrees] > 0.99 for degrees in (10, 20, 70))
)
PYTHON
