#!/usr/bin/env bash
# GeoUtils 0.2.5, rasters and vectors of the earth: proximity swaps the width and the height of pixels, and takes pixels without data for targets.
# One would expect of Raster.proximity what its docs say, "Proximity distances raster" to "the raster target pixels", in units of the ground with the default
# distance_unit="georeferenced", and with target_values, which "defaults to all non-zero values", targets that have a value.
# Seen, of pixels 2 m wide and 5 m high with one target: its neighbour to the right is 5 m away and the one below 2 m; expected 2 and 5. Of 20 random masks
# with pixels of 10 x 20 m each has wrong distances, in 84% of the pixels, up to twice and half of what they are; SciPy's with the sides as (height, width)
# are right, and its with the sides swapped are the same as GeoUtils'. So with a vector. Square pixels are right, and so are distances in pixels.
# Seen besides: pixels that are masked or hold the nodata value have the distance 0, and those around them are near to a target; of a raster of zeros with a
# corner of nodata, which has no target, all pixels have distances. target_values=[1] leaves them out.
# No warning, and no issue that names it was found. (raster.res is (x, y), where SciPy's sampling is (rows, columns); nodata becomes NaN, which is True.)
# Radar and grids in degrees often have oblong pixels: buffers around labels, weights by distance and "ignore" bands get a wrong width in both directions; the
# edge of an image, where there is no data, counts as an object does.
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
from importlib.metadata import version

import geopandas
import geoutils
import numpy as np
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt
from shapely.geometry import box


def raster(values, width, height, **more):
    return geoutils.Raster.from_array(values, transform=from_origin(500000, 5000000, width, height), crs=32631, **more)


def proximity(values, width, height, **more):
    return np.ma.getdata(raster(values, width, height).proximity(**more).data)


print("geoutils", version("geoutils"))
known = True
one = np.zeros((5, 7), np.uint8)
one[2, 3] = 1
found = proximity(one, 2, 5)
print(f"pixels of 2 x 5 m, one target: right of it expected 2 m, seen {found[2, 4]}; below it expected 5 m, seen {found[3, 3]}")
known &= (found[2, 4], found[3, 3]) == (5, 2)

counts = {"oblong": 0, "oblong, the sides swapped": 0, "square": 0, "oblong, in pixels": 0}
shares, ratios = [], []
for seed in range(20):
    mask = (np.random.default_rng(seed).random((40, 50)) < 0.02).astype(np.uint8)
    found, right = proximity(mask, 10, 20), distance_transform_edt(mask == 0, sampling=(20, 10))
    shares.append((abs(found - right) > 0.01).mean())
    ratios.append((found / np.where(mask, 1, right))[mask == 0])
    counts["oblong"] += np.allclose(found, right)
    counts["oblong, the sides swapped"] += np.allclose(found, distance_transform_edt(mask == 0, sampling=(10, 20)))
    counts["square"] += np.allclose(proximity(mask, 10, 10), distance_transform_edt(mask == 0, sampling=10))
    counts["oblong, in pixels"] += np.allclose(proximity(mask, 10, 20, distance_unit="pixel"), distance_transform_edt(mask == 0))
ratios = np.concatenate(ratios)
print(f"20 masks, as SciPy has it: expected 20 of each, but 0 with the sides swapped; seen {counts}")
print(f"pixels that are wrong: {np.mean(shares):.0%}; seen distances by the right ones: {ratios.min():.2f} to {ratios.max():.2f}")
known &= list(counts.values()) == [0, 20, 20, 20] and np.mean(shares) > 0.4 and ratios.min() < 0.6 and ratios.max() > 1.9

field = geoutils.Vector(geopandas.GeoDataFrame(geometry=[box(500030, 4999880, 500040, 4999900)], crs=32631))  # one pixel
found = np.ma.getdata(raster(np.zeros((10, 8), np.uint8), 10, 20).proximity(field, geometry_type="geometry").data)
y, x = np.argwhere(found == 0)[0].tolist()
print(f"to a vector of one pixel of 10 x 20 m: right of it expected 10 m, seen {found[y, x + 1]}; below it expected 20 m, seen {found[y + 1, x]}")
known &= (found == 0).sum() == 1 and (found[y, x + 1], found[y + 1, x]) == (20, 10)

holes = np.ma.masked_array(np.zeros((6, 6), np.uint8), np.zeros((6, 6), bool))
holes[0, 0] = np.ma.masked
bare, with_holes = raster(np.zeros((6, 6), np.uint8), 10, 10), raster(holes, 10, 10, nodata=255)
cases = [(bare, None), (with_holes, None), (with_holes, [1])]
none, seen, asked = (np.ma.filled(image.proximity(target_values=values).data.astype(float), np.nan) for image, values in cases)
counts = [int(np.isfinite(one).sum()) for one in (none, seen, asked)]
print(f"no target: pixels with a distance, without nodata, with a pixel of nodata, and that with target_values=[1]: expected [0, 0, 0], seen {counts}")
known &= counts == [0, 36, 0] and (seen[0, 0], seen[0, 1]) == (0, 10)
raise SystemExit(not known)
PYTHON
