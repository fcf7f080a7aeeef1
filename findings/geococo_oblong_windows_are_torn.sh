#!/usr/bin/env bash
# GeoCOCO 0.7.0, which cuts geographic images and their labels into COCO: with windows that are not square the images show something else than the masks.
# One would expect of append_dataset with window_bounds=[(192, 128)], or of "WIDTH" and "HEIGHT" of its command, "Width of image subsets" and "Height of image
# subsets": images of 192 x 128 pixels, cut from the large one as it is, in which each mask lies on its object, and all objects.
# Seen, of 81 bright squares in 512 x 512 pixels: in windows of 128 x 128 masks and bright pixels are the same, IoU 1, and there are 81 masks. In windows of
# 192 x 128 and of 128 x 192 the IoU is 0.01, of 256 x 128 0.00, of 140 x 128 0.08; of the 81 objects 54, 54, 45 and 81 have a mask in any image. What such an
# image of 192 x 128 shows is the left 128 columns of its window, drawn 1.5 times as wide and squeezed to two thirds of their height; the lower third is black.
# No warning; the sizes of files, entries and masks are right, 192 x 128. Its tracker does not name it. (It cuts and fills the pixels to a shape of width by
# height, where the array has height by width; what does not fit the file is then stretched by rasterio as it writes, and where a window lacks pixels masks
# are lost as well.)
# All of the training set is wrong then, but not a number in it, and its masks look fine by themselves.
# `wsss` does not use GeoCOCO; `wsss prepare folder --coco` reads COCO of any tool, and cannot see that a picture is not what was labelled.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "geococo==0.7.0" "numpy==2.4.6" "pandas==2.3.3" "geopandas==1.2.0" "shapely==2.2.0" \
  "rasterio==1.4.4" "opencv-python-headless==5.0.0.93" "pandera==0.35.0" "pydantic==1.10.27" "pycocotools==2.0.11" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
from importlib.metadata import version
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from geococo import append_dataset, create_dataset
from pycocotools import mask as run_lengths
from rasterio.transform import from_origin
from shapely.geometry import box

SIZE, SIDE = 512, 8
places = [(x, y) for x in range(60, 420, 40) for y in range(60, 420, 40)]
pixels = np.full((3, SIZE, SIZE), 40, np.uint8)
for x, y in places:
    pixels[:, y : y + SIDE, x : x + SIDE] = 220
profile = {"driver": "GTiff", "width": SIZE, "height": SIZE, "count": 3, "dtype": "uint8", "crs": "EPSG:32631"}
with rasterio.open("large.tif", "w", transform=from_origin(500000, 5000000, 1, 1), **profile) as image:
    image.write(pixels)
squares = [box(500000.1 + x, 5000000.1 - y - SIDE, 499999.9 + x + SIDE, 4999999.9 - y) for x, y in places]  # touching no window from outside


def windows(width, height):
    """Masks and bright pixels of each image, by its name, of a data set of such windows; and whether all sizes are as asked for."""
    folder = Path(f"{width}x{height}")
    folder.mkdir()
    labels = geopandas.GeoDataFrame({"class": ["building"] * len(squares)}, geometry=squares, crs="EPSG:32631")
    with rasterio.open("large.tif") as image, contextlib.redirect_stderr(io.StringIO()):
        made = append_dataset(create_dataset("", ""), folder, image, [(width, height)], labels, name_attribute="class")
    images, sizes = {}, set()
    for one in made.images:
        with rasterio.open(one.file_name) as image:
            bright = image.read(1) > 130
        masks = [run_lengths.decode(each.segmentation) > 0 for each in made.annotations if each.image_id == one.id]
        images[one.file_name.name] = masks, bright
        sizes |= {(one.width, one.height), bright.shape[::-1], *(mask.shape[::-1] for mask in masks)}
    return images, sizes == {(width, height)}


def objects(images):
    """Objects that have a mask in any image, by the middle of the mask in the large image."""
    found = set()
    for name, (masks, _) in images.items():
        column, row = (int(part) for part in name.split("_")[1:3])
        for mask in masks:
            y, x = np.argwhere(mask).mean(0) + (row, column)
            found |= {k for k, (left, top) in enumerate(places) if left <= x < left + SIDE and top <= y < top + SIDE}
    return len(found)


print("geococo", version("geococo"), "rasterio", version("rasterio"))
known = True
for (width, height), overlap, there in (((128, 128), 1.0, 81), ((192, 128), 0.01, 54), ((128, 192), 0.01, 54), ((256, 128), 0.0, 45), ((140, 128), 0.08, 81)):
    images, right = windows(width, height)
    shared = sum((np.any(masks, 0) & bright).sum() for masks, bright in images.values() if masks)
    both = sum((np.any(masks, 0) | bright).sum() if masks else bright.sum() for masks, bright in images.values())
    count = objects(images)
    print(f"windows of {width} x {height}: sizes as asked for {right}; expected an IoU of masks and objects of 1 and 81 objects, seen {shared / both:.2f} and {count}")
    known &= bool(right) and round(float(shared / both), 2) == overlap and count == there
    if (width, height) == (192, 128):
        name, (_, bright) = sorted(images.items())[0]
        column, row = (int(part) for part in name.split("_")[1:3])
        part = pixels[0, row : row + 128, column : column + 128] > 130
        y, x = np.indices((128, 192))
        stretched = np.pad(part, ((0, 64), (0, 0)))[np.minimum((y + 0.5) * 192 / 128, 191).astype(int), ((x + 0.5) * 128 / 192).astype(int)]
        print(f"{name}: the left 128 columns of the window, stretched, agree with the image in {100 * (stretched == bright).mean():.1f} % of the pixels")
        known &= bool((stretched == bright).mean() > 0.97)
raise SystemExit(not known)
PYTHON
