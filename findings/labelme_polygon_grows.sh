#!/usr/bin/env bash
# labelme draws a polygon as a mask that is a pixel larger at the right and lower side.
# One would expect the pixels whose centres the polygon holds: of a square from 2 to 6 the 16 from 2 to 5, as labelme's
# window shows it, with the corner of a pixel at a whole number.
# Seen: Pillow fills the lines too: 25 pixels, from 2 to 6, so of a rectangle. pycocotools draws 16 of the same corners.
# `wsss export labels --format labelme` writes masks, or outlines a quarter of a pixel inside, which both draw alike
# (docs/exporting.md); `wsss prepare folder --labelme` draws as pycocotools does (docs/folder.md).
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet labelme==6.3.1 pycocotools==2.0.11 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
import labelme
from labelme.utils import shape_to_mask
from pycocotools import mask as rle

corners = [[2.0, 2.0], [6.0, 2.0], [6.0, 6.0], [2.0, 6.0]]
polygon = int(shape_to_mask((10, 10), corners, "polygon").sum())
rectangle = int(shape_to_mask((10, 10), [corners[0], corners[2]], "rectangle").sum())
coco = int(rle.decode(rle.frPyObjects([sum(corners, [])], 10, 10)).sum())
print("labelme", labelme.__version__)
print(f"square of 4 x 4: expected 16 pixels (pycocotools {coco}), seen {polygon} as polygon, {rectangle} as rectangle")
raise SystemExit((polygon, rectangle, coco) != (25, 25, 16))
PYTHON
