#!/usr/bin/env bash
# Datumaro's masks_to_polygons, which CVAT's exports can apply too, makes masks smaller, fills holes, loses thin objects.
# One would expect that a mask made a polygon and drawn again by masks_to_polygons' own counterpart is the mask.
# Seen: the polygon goes through the centres of the border's pixels, so a square of 16 pixels comes back as 9; of a ring
# the hole is filled; a lone pixel and a line one pixel wide are gone, without a word.
# `wsss export` lays outlines along the sides of pixels and cuts to holes; docs/folder.md tells what is read of these.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet datumaro==1.13.12 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import datumaro as dm
import numpy as np
from datumaro.components.annotation import Mask
from datumaro.components.media import Image

blank = np.zeros((18, 24), np.uint8)
square, ring, pixel, line = (blank.copy() for _ in range(4))
square[4:8, 4:8] = ring[2:10, 3:12] = pixel[9, 9] = line[9, 3:20] = 1
ring[4:7, 5:8] = 0
seen = {}
for name, mask in {"square": square, "ring": ring, "pixel": pixel, "line": line}.items():
    item = dm.DatasetItem(name, media=Image.from_numpy(blank), annotations=[Mask(mask, label=0)])
    data = dm.Dataset.from_iterable([item], categories=["a"], media_type=Image)
    data.transform("masks_to_polygons")
    data.transform("polygons_to_masks")
    again = sum(int(shape.image.sum()) for one in data for shape in one.annotations)
    seen[name] = (int(mask.sum()), again)
print("datumaro", version("datumaro"))
for name, (had, again) in seen.items():
    print(f"{name}: expected {had} pixels, seen {again}")
raise SystemExit(seen != {"square": (16, 9), "ring": (63, 56), "pixel": (1, 0), "line": (17, 0)})
PYTHON
