#!/usr/bin/env bash
# PyLandStats 3.1.0, landscape metrics of class maps: count_boundary changes no core area, and edges of cells that are not square have the other side's length.
# One would expect of count_boundary, "Whether cells that only neighbour the landscape boundary should be considered as core", that they are core with True; and
# of total_edge, "Total edge length", that a patch which lies inside has the same with and without the boundary, its perimeter.
# Seen, of a map of 10 x 10 cells, each half of one class: 24 cells of core in each half with False and with True, where 24 and 40 are expected; so for
# core_area, total_core_area, core_area_index and disjunct core areas, and for an edge of two cells; of a map that is all one class 64 of its 100 cells are
# core either way, 100 expected. The argument is False by default in some of them and True in others.
# Seen besides: of a patch of 2 x 6 cells of 3 x 1 m the total edge is 24 m, its perimeter and the total edge with count_boundary=True 40 m, as is right; of
# cells of 1 x 3 m it is 40 m for 24 m; of square cells all agree. So too edge_density. Of a map with nan as nodata, which it leaves out of the classes, the
# cells without data count as land: of 6,500 m2 it makes 10,000 m2, and two classes of 77 and 23% of the landscape have 50 and 15%.
# No warning, and its tracker names none of them. (The map's outside counts as another class in the erosion, padded or not; edges between neighbours in a row
# are multiplied by the cell's width; a comparison with nan is never equal.)
# Studies of edge effects have a rim of a cell and more around the map that is no core, most in small tiles; maps that were reprojected have oblong cells.
# `wsss` does not use PyLandStats.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "pylandstats==3.1.0" "numpy==2.4.6" "scipy==1.17.1" "pandas==3.0.4" "rasterio==1.4.4" \
  "geopandas==1.2.0" "shapely==2.2.0" "matplotlib==3.11.2" "scikit-learn==1.9.1" "clustergram==0.8.1" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from pylandstats import Landscape
from scipy import ndimage


def core(classes, depth, boundary):
    """Cells whose neighbours by side, so many times, are of their class; with boundary, what is outside of the map is too."""
    return [int(ndimage.binary_erosion(classes == one, iterations=depth, border_value=boundary).sum()) for one in np.unique(classes)]


print("pylandstats", version("pylandstats"))
known = True
halves, one = np.repeat([[1, 2]], 5, axis=1).repeat(10, axis=0).astype(np.uint8), np.ones((10, 10), np.uint8)
for name, classes, depth in (("two halves", halves, 1), ("two halves", halves, 2), ("one class", one, 1)):
    for boundary in (False, True):
        landscape, wanted = Landscape(classes, res=(1, 1)), core(classes, depth, boundary)
        given = {"hectares": False, "count_boundary": boundary, "edge_depth": depth}
        seen = landscape.core_area(**given)["core_area"].tolist()
        total = landscape.total_core_area(**given)
        index = landscape.core_area_index(count_boundary=boundary, edge_depth=depth)["core_area_index"].tolist()
        disjunct = [float(landscape.disjunct_core_area_mn(class_val=value, **given)) for value in landscape.classes]
        print(f"{name}, edge of {depth}, count_boundary={boundary}: expected core {wanted}, seen {seen}, total {total}, disjunct {disjunct}, index {index}")
        known &= seen == core(classes, depth, False) == disjunct and total == sum(seen)
        known &= np.allclose(index, [100 * a / (classes == value).sum() for a, value in zip(seen, landscape.classes)])
        known &= (seen == wanted) != boundary

inside = np.ones((9, 9), np.uint8)
inside[2:4, 2:8] = 2
for (width, height), value in (((1, 1), 16), ((3, 1), 24), ((1, 3), 40)):
    landscape = Landscape(inside, res=(width, height))
    wanted = 2 * (6 * width + 2 * height)
    seen, with_boundary, whole = (float(landscape.total_edge(**one)) for one in ({"class_val": 2}, {"class_val": 2, "count_boundary": True}, {}))
    perimeter = landscape.perimeter(class_val=2).tolist()
    print(f"2 x 6 cells of {width} x {height} m: expected an edge of {wanted}, seen {seen}, {whole}, {with_boundary} with the boundary, perimeter {perimeter}")
    known &= seen == whole == value and with_boundary == perimeter[0] == wanted

holes = np.zeros((10, 10), np.float32)
holes[:5], holes[5:8, :5] = 1, 2
for nodata, right in ((0, True), (np.nan, False)):
    classes = np.where(holes == 0, nodata, holes)
    landscape = Landscape(classes, res=(10, 10), nodata=nodata)
    shares, area = [round(float(landscape.proportion_of_landscape(value))) for value in (1, 2)], float(landscape.total_area(hectares=False))
    print(f"nodata {nodata}, classes {landscape.classes.tolist()}: expected 6500 m2, shares [77, 23], seen {area:.0f} m2, {shares}")
    known &= (area, shares) == ((6500, [77, 23]) if right else (10000, [50, 15]))
raise SystemExit(not known)
PYTHON
