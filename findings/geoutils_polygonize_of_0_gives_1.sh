#!/usr/bin/env bash
# GeoUtils 0.2.5, rasters and vectors of the earth: polygonize of a mask gives the polygons of True when asked for those of False, or all.
# One would expect of Raster.polygonize what its docs say, target_values is the "Value or range of values of the raster from which to create geometries
# (defaults to "all", for which all unique pixel values of the raster are used)": of a boolean raster polygons of False with 0, of both with "all".
# Seen, of a mask of 6 x 8 with 6 pixels that are True: 0, False, 1 and "all" all give one polygon, with an area of 6, where 42, 42, 6 and 48 are expected; of
# 20 random masks 0 gives the area of True in 20, and "all" too. The same masks as bytes, 0 and 1, are right in 20, for 0, 1 and "all".
# No warning, though for other values, as 2, there is one that True is used. No issue that names it was found. (For a mask the value is set to True.)
# Who makes polygons of the background, of what is free of clouds or not yet labelled, gets those of the opposite, and their areas.
# `wsss` does not use GeoUtils.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "geoutils==0.2.5" "numpy==2.4.6" "scipy==1.17.1" "pandas==2.3.3" \
  "geopandas==1.2.0" "shapely==2.2.0" "rasterio==1.4.4" "rioxarray==0.19.0" "xarray==2026.9.0" "pyproj==3.7.2" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import warnings
from importlib.metadata import version

import geoutils
import numpy as np
from rasterio.transform import from_origin


def area(values, target):
    """The area of the polygons of a value, of an image with pixels of 1 m, and whether there was a warning of that value."""
    image = geoutils.Raster.from_array(values, transform=from_origin(500000, 5000000, 1, 1), crs=32631)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = float(image.polygonize(target).ds.area.sum())
    return found, any("target value" in str(one.message) for one in caught)


print("geoutils", version("geoutils"))
known = True
mask = np.zeros((6, 8), bool)
mask[1:3, 1:4] = True
for target, right in ((0, 42), (False, 42), (1, 6), ("all", 48)):
    seen, bytes_ = area(mask, target), area(mask.astype(np.uint8), target)
    print(f"a mask, {target}: expected {right}, seen {seen[0]}, a warning {seen[1]}; as bytes {bytes_[0]}")
    known &= seen == (6, False) and bytes_[0] == right
seen = area(mask, 2)
print(f"a mask, 2: seen {seen[0]}, a warning {seen[1]}")
known &= seen == (6, True)

counts = {"0": [0, 0, 0], "1": [0, 0, 0], "all": [0, 0, 0]}
for seed in range(20):
    mask = np.random.default_rng(seed).random((30, 40)) < 0.3
    for target, right in ((0, (~mask).sum()), (1, mask.sum()), ("all", mask.size)):
        seen, one = area(mask, target)[0], counts[str(target)]
        one[0] += bool(np.isclose(seen, right))
        one[1] += bool(np.isclose(seen, mask.sum()))
        one[2] += bool(np.isclose(area(mask.astype(np.uint8), target)[0], right))
print(f"20 masks, right, the area of True, and right as bytes: expected 20 of the first and the third each, seen {counts}")
raise SystemExit(not (known and list(counts.values()) == [[0, 20, 20], [20, 20, 20], [0, 20, 20]]))
PYTHON
