#!/usr/bin/env bash
# float_raster 0.8, polygons onto a grid "with float64 precision": of a polygon that begins further right than up, slanted edges cover the wrong pixels.
# One would expect of raster what its docs say, "pixel values equal to the fraction of the pixel area covered by the polygon", the same wherever on the grid
# the polygon lies, and within rounding what Shapely finds for each pixel.
# Seen: a triangle from (2, 6) on is right to 1e-15, the same from (6, 2) on is wrong in 11 of its 17 pixels, by up to 0.28; a flat one of 60 x 4 pixels in 56
# of 150, by up to 0.43; a strip one pixel thick in all of its 120, of which 6 change sides at a half. On a grid of quarter pixels it is the same, so the size
# of pixels is not the reason. Of 400 random polygons all are right that have floor(min x) <= floor(min y), and 181 of the 189 others are wrong, which are
# right with x and y exchanged.
# No warning, and the sums over all, and over the rows, are right, so that a test of the area finds nothing.
# (The lines of the grid that it crosses with the polygon begin, in y, at the least x: crossings below are not found, and what an edge covers until it leaves
# the row goes into one pixel.)  So since 0.4 at least.
# Who weighs pixels by coverage, as for statistics of fields, soft masks or apertures, has weights that are shifted along the rows, by place alone.
# `wsss` does not use float_raster.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "float-raster==0.8" "numpy==2.4.6" "scipy==1.17.1" "shapely==2.1.2" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import float_raster
import numpy as np
import shapely


def by_shapely(points, x, y):
    cells = shapely.box(x[:-1, None], y[None, :-1], x[1:, None], y[None, 1:])
    return shapely.area(shapely.intersection(shapely.Polygon(points), cells)) / shapely.area(cells)


def by_package(points, x, y):
    points = np.array(points, float)
    clockwise = points[::-1] if shapely.Polygon(points).exterior.is_ccw else points  # as its docs want it
    return float_raster.raster(clockwise.T, x, y)


def shifted(points, dx, dy):
    return [(px + dx, py + dy) for px, py in points]


print("float_raster", version("float_raster"))
grid, fine = np.arange(101.0), np.arange(0, 12.1, 0.25)
triangle = [(0.0, 0.0), (4.5, 1.3), (1.2, 4.1)]
flat = [(0, 0), (60, 0), (60, 4)]
strip = [(0, 0), (60, 2.5), (60, 3.5), (0, 1)]
known = True
for name, points, (x, y), lines, wrong in (
    ("a triangle", triangle, (2, 6), grid, False),
    ("a triangle", triangle, (6, 2), grid, True),
    ("a triangle", triangle, (2, 6), fine, False),
    ("a triangle", triangle, (6, 2), fine, True),
    ("a flat triangle", flat, (20, 21), grid, False),
    ("a flat triangle", flat, (20, 1), grid, True),
    ("a strip", strip, (20, 21), grid, False),
    ("a strip", strip, (20, 1), grid, True),
):
    moved = shifted(points, x, y)
    expected, seen = by_shapely(moved, lines, lines), by_package(moved, lines, lines)
    error = np.abs(seen - expected)
    print(
        f"{name} from ({x}, {y}) on, pixels of {lines[1]:g}: expected {(expected > 0).sum()} pixels with an error of 0, seen {(error > 1e-9).sum()} wrong,"
        f" by up to {error.max():.3g}; of a half or more {((seen >= 0.5) != (expected >= 0.5)).sum()} pixels otherwise;"
        f" sum {expected.sum():.6g} and {seen.sum():.6g}"
    )
    known &= (error.max() > 0.1) == wrong and (wrong or error.max() < 1e-9) and abs(seen.sum() - expected.sum()) < 1e-6

random = np.random.default_rng(0)
counts = {False: [0, 0], True: [0, 0]}
mirrored = 0.0
small = np.arange(21.0)
while sum(map(sum, counts.values())) < 400:
    angles = np.sort(random.uniform(0, 2 * np.pi, 6))
    points = random.uniform(5, 15, 2) + random.uniform(1, 4) * np.column_stack((np.cos(angles), np.sin(angles)))
    error = np.abs(by_package(points, small, small) - by_shapely(points, small, small)).max()
    least = np.floor(points.min(0))
    right_of = bool(least[0] > least[1])
    counts[right_of][int(error > 1e-9)] += 1
    if right_of:
        swapped = points[:, ::-1]
        mirrored = max(mirrored, np.abs(by_package(swapped, small, small) - by_shapely(swapped, small, small)).max())
for right_of, (good, bad) in counts.items():
    print(f"random polygons with floor(min x) {'>' if right_of else '<='} floor(min y): expected 0 wrong, seen {bad} wrong of {good + bad}")
print(f"the latter with x and y exchanged: wrong by up to {mirrored:.1g}")
known &= counts[False][1] == 0 and counts[True][1] > 0.9 * sum(counts[True]) and mirrored < 1e-9
raise SystemExit(not known)
PYTHON
