#!/usr/bin/env bash
# DeepTile 2.0.10, which cuts large images into tiles and stitches what comes of them: stitch_image makes nearly every pixel of whole numbers one less.
# One would expect of tiles that are stitched as they were cut the image, as "Stitch tiled images into a large image" says and as blend=False gives it:
# where tiles overlap they are the same, so blending them changes nothing.
# Seen, with blend=True, which is the default: a flat image of 100 is 99 in 59,800 of 60,000 pixels; of 0 to 255 at random 59,476 of 60,000 are one less than
# they were, of 16 bits 59,686. A mask of 0 and 1 comes back empty, all its 31,149 pixels lost; of a map of classes 0 to 4 nearly all pixels become the class
# before, so 4 is gone.
# So without overlap as well, and for one tile that is the whole image. No warning. Fractions (float32) are right to the sixth digit.
# (The mean of the tiles is divided by its weights and a ten-millionth more, and what is a little less than a whole number is cut off to the one below.)
# The code has been so since 2.0.0 at least.
# Who stitches predicted masks or maps of classes by the default gets no objects, or other classes; who stitches images gets them a grey darker.
# `wsss` does not use DeepTile.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "deeptile==2.0.10" "dask==2026.8.0" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import deeptile
import numpy as np
from deeptile.extensions.stitch import stitch_image
from scipy.ndimage import gaussian_filter

SHAPE = (200, 300)
random = np.random.default_rng(0)
smooth = gaussian_filter(random.random(SHAPE), 4)
images = {
    "flat 100": np.full(SHAPE, 100, np.uint8),
    "0 to 255": random.integers(0, 256, SHAPE).astype(np.uint8),
    "16 bits": random.integers(0, 65536, SHAPE).astype(np.uint16),
    "mask": (smooth > 0.5).astype(np.uint8),
    "classes": np.digitize(smooth, np.quantile(smooth, [0.2, 0.4, 0.6, 0.8])).astype(np.int64),
    "fractions": random.random(SHAPE).astype(np.float32),
}
print("deeptile", version("deeptile"))
right = True
for name, image in images.items():
    for size, overlap in (((80, 80), (0.2, 0.2)), ((80, 80), (0, 0)), (SHAPE, (0, 0))):
        tiles = deeptile.load(image).get_tiles(tile_size=size, overlap=overlap)
        assert (np.asarray(stitch_image(tiles, blend=False)) == image).all()
        found = np.asarray(stitch_image(tiles))
        off = found.astype(float) - image
        if name == "fractions":
            print(f"{name}, tiles of {size}, overlap {overlap}: differs by at most {np.abs(off).max():.1g}")
            right &= np.abs(off).max() < 1e-5
            continue
        assert found.dtype == image.dtype and set(np.unique(off)) <= {-1, 0}
        less = int((off == -1).sum())
        print(
            f"{name}, tiles of {size}, overlap {overlap}: pixels one less expected 0, seen {less} of {image.size};"
            f" values that are left expected {len(np.unique(image))}, seen {len(np.unique(found))}"
        )
        right &= less > 0.99 * (image > 0).sum()
        right &= name != "mask" or not found.any()
raise SystemExit(not right)
PYTHON
