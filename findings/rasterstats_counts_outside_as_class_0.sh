#!/usr/bin/env bash
# rasterstats 0.21.0, statistics of rasters under polygons: of a file that states no nodata value it counts what lies outside the raster as pixels of value 0.
# One would expect what the docs of zonal_stats say of boundless, which is the default: "Cells outside dataset extents are treated as nodata", so that of a
# polygon half beyond the edge the half inside is counted, as of the same pixels given as an array, and as exactextract does.
# Seen, of a map that is all class 3: 8 pixels of class 3 and 8 of class 0, count 16 and mean 1.5 for 8 and 3; of a polygon wholly outside 16 of class 0.
# So for whole numbers and floats; an explicit nodata=255, which silences the warning that -999 is taken for nodata, changes nothing, nor does -999.
# Only a value that the file itself states, or nodata=0, which takes class 0 away everywhere, makes it right. (It reads beyond the edge without a value to
# fill with, for which 0 is then taken.)  So since 0.17.0 at least; point_query is right.
# Who sums up land cover, masks or scores under plots, buildings or tiles that cross the edge of an image gets areas of class 0, which is most often the
# background or the first class, that are not there, and means that are too low.
# `wsss` does not use rasterstats.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "rasterstats==0.21.0" "rasterio==1.4.4" "exactextract==0.3.0" "numpy==2.4.6" \
  "shapely==2.1.2" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import rasterio
from exactextract import exact_extract
from rasterio.transform import from_origin
from rasterstats import zonal_stats
from shapely.geometry import box, mapping

place = from_origin(100, 50, 2, 2)  # pixels of 2 x 2 from x 100 and y 50
half, outside = box(96, 38, 104, 46), box(80, 38, 88, 46)


def write(name, pixels, **more):
    kind = {"driver": "GTiff", "count": 1, "crs": "EPSG:32633", "transform": place, "dtype": pixels.dtype}
    with rasterio.open(name, "w", height=pixels.shape[0], width=pixels.shape[1], **kind, **more) as file:
        file.write(pixels, 1)
    return name


def look(raster, polygon=half, **how):
    """Pixels by class, the count and the mean."""
    (stats,) = zonal_stats([polygon], raster, categorical=True, stats="count mean", **how)
    classes = {int(key): value for key, value in stats.items() if not isinstance(key, str)}
    return classes, stats["count"], None if not stats["count"] else float(stats["mean"])


pixels = np.full((8, 8), 3, np.uint8)
plain, stated = write("plain.tif", pixels), write("stated.tif", pixels, nodata=255)
floats = write("floats.tif", pixels.astype(np.float32))
right, empty, wrong = ({3: 8}, 8, 3.0), ({}, 0, None), ({0: 8, 3: 8}, 16, 1.5)
(other,) = exact_extract(plain, [{"type": "Feature", "geometry": mapping(half), "properties": {}}], ["count", "mean"])
print(f"rasterstats {version('rasterstats')}; exactextract: count {other['properties']['count']} and mean {other['properties']['mean']}")
seen = {
    "file": (look(plain), right, wrong),
    "file, nodata=255": (look(plain, nodata=255), right, wrong),
    "file of floats, nodata=-999": (look(floats, nodata=-999), right, wrong),
    "file, outside": (look(plain, outside, nodata=255), empty, ({0: 16}, 16, 0.0)),
    "file that states 255": (look(stated), right, right),
    "file that states 255, outside": (look(stated, outside), empty, empty),
    "array, nodata=255": (look(pixels, affine=place, nodata=255), right, right),
}
for name, (found, expected, _) in seen.items():
    print(f"{name}: expected {expected}, seen {found}")
raise SystemExit((other["properties"]["count"], other["properties"]["mean"]) != (8, 3) or any(found != known for found, _, known in seen.values()))
PYTHON
