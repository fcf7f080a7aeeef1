#!/usr/bin/env bash
# mmorph 2.0.0, mathematical morphology for NumPy images, the successor of the SDC Morphology Toolbox: areas, histograms and size distributions begin again at 0
# with the 65,536th pixel.
# One would expect of region_measure(labels, "area", "data") what its docs say, "areas with shape (n,)" of "Area in pixels", as np.bincount counts them; of
# histogram counts, which by its docs saturate at 65535 by default; and of pattern_spectrum "the number of pixels removed by the opening of size i + 1".
# Seen, of one object in an image of 320 x 330: with 65,535 pixels 65,535, with 65,536 of them 0, with 65,600 64 and with 78,400 12,864. Of 20 images of 600 x
# 800 with up to 8 objects each, 12 areas are too small, those of all 12 objects above 65,535 pixels, and in the 11 images that have one another is called the
# largest. The histogram has 12,864, too, where 65,535 or 78,400 is expected, and the size distribution of the square adds up to 12,864 pixels.
# Sums go round, too, at 2,147,483,648: an image of uint16 that is 60,000 everywhere has, with 180 x 180 pixels, a mean of 60,000 by statistics and by
# region_statistics, with 250 x 250 of -8,719 and with 300 x 300 of 12,278; one of uint8 that is 250 everywhere has, with 3,000 x 3,000, -227.
# No warning; no issue that names it was found. Right are histogram(dtype="int32"), and the sum of an image of ones by region_statistics with output="data".
# Above 256 x 256 pixels an object can be that large: who drops small regions drops the largest, and who keeps the largest keeps another.
# `wsss` does not use mmorph.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mmorph==2.0.0" "numpy==2.4.6" "pillow==11.3.0" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import mmorph
import numpy as np


def area(labels):
    return mmorph.region_measure(labels, "area", "data").tolist()


print("mmorph", version("mmorph"))
known = True
for wanted, seen_before in ((65535, 65535), (65536, 0), (65600, 64), (78400, 12864)):
    mask = np.zeros((320, 330), bool)
    mask.ravel()[:wanted] = True
    labels = mask.astype(np.uint8)
    summed = mmorph.region_statistics(labels, labels, "sum", "data").tolist()
    seen = area(labels)
    print(f"one object: expected {wanted} pixels, seen {seen}; sum of ones {summed}")
    known &= seen == [seen_before] and summed == [wanted]

square = np.zeros((320, 330), bool)
square[20:300, 20:300] = True
counts, right = mmorph.histogram(square).tolist(), mmorph.histogram(square, "int32").tolist()
print(f"histogram of a square of 280 x 280: expected {right} (int32) or 65535 for the second, seen {counts}")
spectrum = int(mmorph.pattern_spectrum(square, "chessboard", 3).sum())
print(f"pixels in its size distribution: expected {int(square.sum())}, seen {spectrum}")
known &= right == [27200, 78400] and counts == [27200, 12864] and spectrum == 12864

for side, value, mean in ((180, 60000, 60000), (250, 60000, -8719), (300, 60000, 12278), (2900, 250, 250), (3000, 250, -227)):
    image = np.full((side, side), value, np.uint16 if value > 255 else np.uint8)
    seen = mmorph.statistics(image, "mean"), float(mmorph.region_statistics(np.ones((side, side), np.uint8), image, "mean", "data")[0])
    print(f"mean of {side} x {side} pixels of {value}: expected {image.mean()}, seen {seen}")
    known &= [int(one) for one in seen] == [mean, mean]

random = np.random.default_rng(0)
wrong = large = images = other = 0
for _ in range(20):
    labels = np.zeros((600, 800), np.uint8)
    for k in range(8):
        place = labels[300 * (k // 4) : 300 * (k // 4) + 300, 200 * (k % 4) : 200 * (k % 4) + 200]
        if k % 4 < 3 and random.random() < 0.2:
            place = labels[300 * (k // 4) : 300 * (k // 4) + 300, 200 * (k % 4) : 200 * (k % 4) + 400]
        height, width = random.integers(40, 300), random.integers(40, place.shape[1])
        if place.shape[1] == 400:
            height, width = random.integers(260, 300), random.integers(300, 400)
        place[:height, :width] = k + 1
    wanted, seen = np.bincount(labels.ravel(), minlength=9)[1:], np.array(area(labels))
    wanted = wanted[: len(seen)]
    wrong, large = wrong + int((wanted != seen).sum()), large + int((wanted > 65535).sum())
    if wanted.max() > 65535:
        images, other = images + 1, other + int(wanted.argmax() != seen.argmax())
print(f"20 images: expected 0 wrong areas, seen {wrong}; objects above 65,535 pixels {large}; of {images} images with one, another is the largest in {other}")
raise SystemExit(not (known and wrong == large == 12 and other == images == 11))
PYTHON
