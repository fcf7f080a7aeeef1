#!/usr/bin/env bash
# ome-zarr 0.18.0 writes each pyramid with the factors 2, 4, 8 and so on, whatever whole numbers it is given: it only counts them.
# One would expect what the docs of write_image say of scale_factors: the downsampling factors of each level, as whole numbers for y and x or as dicts by
# axis. [4, 16] makes 64 x 80 and 16 x 20 of 256 x 320 pixels.
# Seen: 128 x 160 and 64 x 80, without a word, for [4, 16], (4, 16) and [3, 9] alike; the same factors as dicts come out right. The file's
# coordinateTransformations state what was written, 2 and 4, so not what was asked. `ome_zarr scale --downscale 4` is hit as well: it makes such numbers.
# So since 0.14.0, which brought the argument, and in 0.19.0a0. (It puts as many powers of two in their place, so the default, 2, 4, 8, 16, is right.)
# Who writes [4, 16, 64] for whole slides gets a last level with 64 times the pixels that were asked for, and who takes level 1 for a quarter of the size,
# as for tiles and masks at one resolution, works at another. Dicts avoid it, or a look at the scale that the file states.
# `wsss` neither reads nor writes Zarr.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "ome-zarr==0.18.0" "zarr==3.1.6" "dask==2026.8.0" "scikit-image==0.26.0" \
  "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
cat > pyramid.py <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import zarr
from ome_zarr.writer import write_image


def levels(path):
    """Of each level its shape and the scale that the metadata state."""
    group = zarr.open_group(path, mode="r")
    datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
    return [(group[each["path"]].shape, each["coordinateTransformations"][0]["scale"]) for each in datasets]


image = np.zeros((256, 320), np.uint8)
asked = {
    "[4, 16]": [4, 16],
    "(4, 16)": (4, 16),
    "[3, 9]": [3, 9],
    "dicts of 4, 16": [{"y": 4, "x": 4}, {"y": 16, "x": 16}],
    "[2, 4]": [2, 4],
}
seen = {}
for number, (name, factors) in enumerate(asked.items()):
    write_image(image, f"{number}.zarr", axes="yx", scale_factors=factors)
    seen[name] = levels(f"{number}.zarr")[1:]
zarr.save_array("image.zarr", image)
command = [Path(sys.executable).parent / "ome_zarr", "scale", "image.zarr", "scaled.zarr", "yx", "--downscale", "4", "--max_layer", "2"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
seen["ome_zarr scale --downscale 4"] = levels("scaled.zarr")[1:]

halves = [((128, 160), [2.0, 2.0]), ((64, 80), [4.0, 4.0])]
quarters = [((64, 80), [4.0, 4.0]), ((16, 20), [16.0, 16.0])]
print("ome-zarr", version("ome-zarr"))
print("levels of 256 x 320 pixels, with the scale stated; expected for 4 and 16", *quarters)
for name, found in seen.items():
    print(f"{name}: seen", *found)
raise SystemExit(any(found != (quarters if name.startswith("dicts") else halves) for name, found in seen.items()))
PYTHON
venv/bin/python pyramid.py 2>warnings
