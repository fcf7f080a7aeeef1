#!/usr/bin/env bash
# HistomicsTK 1.4.0, analysis of slides of tissue: of a grey thumbnail get_tissue_mask gives the empty glass as tissue.
# One would expect of its argument thumbnail_im, "(m, n, 3) nd array of thumbnail RGB image or (m, n) nd array of thumbnail grayscale image", that a picture and
# the same picture in grey have the same tissue.
# Seen, of a slide with one piece of dark tissue of 15,625 pixels on bright glass: in colour 15,622 pixels of tissue, all of them right; in grey 74,381, of
# which 6 are tissue. On 30 slides the masks in colour share 100% with the tissue (IoU), those in grey 0%. Right is a grey picture turned to its negative.
# Without smoothing (sigma=0, which is the default) the caller's own grey picture is changed as well: what is dark in it becomes 0.
# Seen besides: Polygon_merger_v2, whose merge_thresh says "how close do the polygons need to be (in pixels) to be merged", 3 by default, merges two squares up
# to 12 pixels apart, and fills what lies between; with 0 still up to 6. contours_to_labeled_object_mask, for which "All coordinates are relative to the mask
# that you want to output", makes of the contours of a mask of 200 x 200 pixels one of 140 x 130, moved by 30 and 20, its objects a row and a column smaller.
# No warning, and its tracker names none of them. (Only a picture in colour is turned; polygons grow by the threshold and 3 more, each; the mask begins at the
# least coordinate, and is as wide as the difference of the outermost ones.)
# Who finds tissue to choose tiles gets those without any; separate glands and nests become one, and a mask does not fit on its picture.
# `wsss` does not use HistomicsTK.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.2.6" "scipy==1.15.3" "pandas==2.3.3" "scikit-image==0.25.2" "shapely==2.2.0" "scikit-learn==1.7.2" "pillow==11.3.0" "imageio==2.38.1" \
  "opencv-python-headless==4.12.0.88" "matplotlib==3.10.8" "dask[dataframe]==2024.10.0" "large-image==1.35.0" "joblib==1.6.0" "girder-client==5.0.21" \
  "ctk-cli==1.5" "girder-slicer-cli-web==5.0.21" "SQLAlchemy==2.1.9"
install --no-deps "histomicstk==1.4.0"
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import cv2
import numpy as np
import pandas as pd
from histomicstk.annotations_and_masks.annotations_to_object_mask_handler import contours_to_labeled_object_mask
from histomicstk.annotations_and_masks.masks_to_annotations_handler import get_contours_from_mask
from histomicstk.annotations_and_masks.polygon_merger_v2 import Polygon_merger_v2
from histomicstk.saliency.tissue_detection import get_tissue_mask

cv2.setNumThreads(1)


def slide(random, box):
    """Bright glass with a box of dark, purple tissue."""
    picture = random.normal(240, 3, (300, 300, 3))
    top, left, height, width = box
    tissue = np.zeros((300, 300), bool)
    tissue[top : top + height, left : left + width] = True
    picture[tissue] = random.normal((150, 60, 120), 8, (height * width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8), tissue


print("histomicstk", version("histomicstk"))
known = True
random = np.random.default_rng(0)
picture, tissue = slide(random, (75, 75, 125, 125))
grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
for name, given, right in (("in colour", picture, True), ("in grey", grey, False), ("grey, negative", 255 - grey, True)):
    _, found = get_tissue_mask(given.copy(), sigma=1.0)
    print(f"{name}: expected {tissue.sum()} pixels of tissue, seen {found.sum()}, of which {(found & tissue).sum()} are tissue")
    known &= ((found & tissue).sum() > 0.99 * tissue.sum()) == right and (found.sum() > 4 * tissue.sum()) != right
values = {"in colour": [], "in grey": []}
for _ in range(30):
    picture, tissue = slide(random, (*random.integers(20, 100, 2), *random.integers(60, 150, 2)))
    for name, given in (("in colour", picture), ("in grey", cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))):
        _, found = get_tissue_mask(given, sigma=1.0)
        values[name].append((found & tissue).sum() / (found | tissue).sum())
share = {name: round(float(np.mean(one)), 2) for name, one in values.items()}
print(f"30 slides, IoU with the tissue: expected the same of both, seen {share}")
known &= share["in colour"] > 0.98 and share["in grey"] < 0.01
for name, given in (("in colour", picture), ("in grey", cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))):
    before = given.copy()
    get_tissue_mask(given)
    print(f"{name}: expected 0 values of the caller's picture changed, seen {(given != before).sum()}")
    known &= bool((given != before).any()) == (name == "in grey")


def squares(gap):
    """Two squares of 50 x 50, so far apart."""
    rows = []
    for x in (0, 50 + gap):
        row = {"group": "gland", "xmin": x, "xmax": x + 50, "ymin": 0, "ymax": 50}
        rows.append({**row, "coords_x": f"{x},{x + 50},{x + 50},{x}", "coords_y": "0,0,50,50"})
    return pd.DataFrame(rows)


for threshold, limit in ((3, 12), (0, 6)):
    merged = []
    for gap in range(1, 20):
        merger = Polygon_merger_v2(squares(gap), merge_thresh=threshold, verbose=0)
        merger.run()
        if len(merger.new_contours) == 1:
            merged.append(gap)
    print(f"merge_thresh {threshold}: expected two squares up to {threshold} apart to become one, seen up to {max(merged)}")
    known &= merged == list(range(1, limit + 1))

mask = np.zeros((200, 200), np.int32)
mask[20:81, 30:121], mask[100:161, 100:161] = 1, 2
codes = pd.DataFrame({"group": ["tumor", "stroma"], "GT_code": [1, 2], "color": "rgb(255,0,0)", "overlay_order": 1, "is_roi": 0, "is_background_class": 0})
codes.index = codes["group"]
contours = get_contours_from_mask(mask, codes, get_roi_contour=False)
contours["bbox_area"] = (contours.xmax - contours.xmin) * (contours.ymax - contours.ymin)
back = contours_to_labeled_object_mask(contours, codes.copy(), mode="semantic")
wanted, seen = ([int((one == value).sum()) for value in (1, 2)] for one in (mask, back))
print(f"a mask's contours as a mask: expected {mask.shape}, objects of {wanted} pixels, seen {back.shape}, {seen}")
known &= back.shape == (140, 130) and seen == [60 * 90, 60 * 60] and wanted == [61 * 91, 61 * 61]
known &= bool((back[:60, :90] == 1).all())
raise SystemExit(not known)
PYTHON
