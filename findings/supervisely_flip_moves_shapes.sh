#!/usr/bin/env bash
# supervisely 6.74.51, the SDK of Supervisely: a flip moves polygons, boxes, lines and points one pixel away from the image and from its masks.
# One would expect of aug.fliplr, by its docs "Flips an Image and Annotation around vertical axis", and of flipud, that a shape covers the same part of the
# image afterwards. Its shapes are of pixels, from the first to the last: a Rectangle(100, 100, 700, 900) has, as its docs say, a width of 801.
# Seen, of 40 random boxes in an image of 60 x 40 pixels, each as a bitmap, a polygon and a rectangle, which all draw the same pixels: after fliplr the 40
# bitmaps are where the image has them; the 40 polygons and the 40 rectangles lie one pixel further right, after flipud one further down. Of those at the
# left or the upper edge a column or a row is cut off by that. Rotated by 180 degrees, which is both flips, all 120 are right; cropped too.
# Of 40 shapes 3 pixels wide the flipped polygon and the flipped bitmap have an IoU of 0.5, of 40 lines one pixel wide 0.
# Flipped twice all but those at the edge are as before, so that a test of both ways finds little. No warning, and its tracker does not name it. (A point x goes
# to the width less x, a pixel to the width less one less x; bitmaps are turned as arrays.)
# Who trains with random flips learns half of the images with labels that are a pixel beside: edges, lines and small objects suffer.
# `wsss` does not use supervisely; it reads projects of it (`wsss prepare folder --supervisely`), and flips none of their shapes by itself.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "supervisely==6.74.51" "numpy==2.4.6" "opencv-python==4.14.0.94" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import supervisely as sly
from supervisely.aug import aug

HEIGHT, WIDTH = 40, 60
KINDS = [sly.Bitmap, sly.Polygon, sly.Rectangle]
CLASSES = {kind.geometry_name(): sly.ObjClass(kind.geometry_name(), kind) for kind in KINDS}


def drawn(geometry, shape):
    canvas = np.zeros(shape, np.uint8)
    geometry.draw(canvas, 1)
    return canvas > 0


def scene(top, left, bottom, right):
    """An image with a white box, and the box as a bitmap, a polygon and a rectangle."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : bottom + 1, left : right + 1] = True
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    shapes = [sly.Bitmap(mask), sly.Polygon(corners), sly.Rectangle(top, left, bottom, right)]
    assert all((drawn(shape, mask.shape) == mask).all() for shape in shapes)
    labels = [sly.Label(shape, CLASSES[shape.geometry_name()]) for shape in shapes]
    return np.repeat(mask[..., None] * np.uint8(255), 3, 2), sly.Annotation(mask.shape, labels)


def moved(image, annotation):
    """By kind: how far the shape lies from the box of the image, in rows and columns; and whether it lost pixels."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    found = {}
    for label in annotation.labels:
        box = label.geometry.to_bbox()
        cut = bool(drawn(label.geometry, image.shape[:2]).sum() < len(rows))
        found[label.geometry.geometry_name()] = int(box.top - rows.min()), int(box.left - columns.min()), cut
    return found


print("supervisely", version("supervisely"), "width of Rectangle(100, 100, 700, 900):", sly.Rectangle(100, 100, 700, 900).width)
known = True
chance = np.random.default_rng(0)
boxes = []
for k in range(40):
    height, width = chance.integers(3, 20, 2)
    top, left = chance.integers(1, [HEIGHT - height, WIDTH - width])
    boxes.append((0 if k < 4 else top, 0 if k < 4 else left, (0 if k < 4 else top) + height - 1, (0 if k < 4 else left) + width - 1))
for name, function, shift, lost in (
    ("fliplr", aug.fliplr, (0, 1), 4),
    ("flipud", aug.flipud, (1, 0), 4),
    ("rotated by 180 degrees", lambda image, annotation: aug.rotate(image, annotation, 180), (0, 0), 0),
    ("cropped", lambda image, annotation: aug.crop(image, annotation, top_pad=0, left_pad=0, bottom_pad=0, right_pad=1), (0, 0), 0),
    ("flipped twice", lambda image, annotation: aug.fliplr(*aug.fliplr(image, annotation)), (0, 0), 4),
):
    results = [moved(*function(*scene(*box))) for box in boxes]
    seen = {kind: sorted({one[kind][:2] for one in results[4:]}) for kind in CLASSES}
    cut = {kind: sum(one[kind][2] for one in results) for kind in CLASSES}
    print(f"{name}: moved by rows, columns: expected (0, 0), seen {seen}; of 4 at the edge and 36 others with pixels lost: expected 0, seen {cut}")
    known &= seen == {"bitmap": [(0, 0)], "polygon": [shift], "rectangle": [shift]} and cut == {"bitmap": 0, "polygon": lost, "rectangle": lost}

for pixels, wanted in ((3, 0.5), (1, 0.0)):
    ious = set()
    for _ in range(40):
        top, left = int(chance.integers(1, 20)), int(chance.integers(1, WIDTH - 4))
        image, annotation = scene(top, left, top + 15, left + pixels - 1)
        _, flipped = aug.fliplr(image, annotation)
        one, other = (drawn(label.geometry, (HEIGHT, WIDTH)) for label in flipped.labels[:2])
        ious.add(round(float((one & other).sum() / (one | other).sum()), 2))
    print(f"40 shapes {pixels} pixels wide, bitmap and polygon after fliplr: expected IoU 1.0, seen {sorted(ious)}")
    known &= ious == {wanted}
raise SystemExit(not known)
PYTHON
