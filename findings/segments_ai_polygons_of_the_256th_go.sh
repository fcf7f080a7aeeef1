#!/usr/bin/env bash
# segments-ai 1.33.0, Segments.ai's client: an image with more than 255 objects is exported without the others, whose pixels are given to the first ones.
# One would expect of export_dataset(dataset, export_format="polygon") polygons of each object; ids go up to 32 bits by its docs, "a numpy.ndarray with
# numpy.uint32 dtype where each unique value represents an instance id", and the same images are right as COCO instances.
# Seen, of 300 squares numbered from 1: 256 to 300, 45 of them, are there with no polygon; 44 others, 1 to 44, have two, the second one that of object 257 to 300
# elsewhere, of another class. Of three images of 260, 400 and 600 objects 5, 145 and 345 have no polygon, and 4, 144 and 255 of the first have others' as well.
# As COCO instances, by the same call, all are right.
# Seen besides: as coloured instances ("instance-color") object 256 is black as the background, and 257 has the colour of 1.
# No warning, and no issue that names it was found. (The bitmap is cut to 8 bits before it is compared with the ids.)
# Images of cells, crowds, fruit and roofs have such numbers: trained on it, an object is in two places at once, and the last ones are background.
# `wsss` does not use segments-ai.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "segments-ai==1.33.0" "numpy==2.4.6" "scikit-image==0.26.0" "pillow==11.3.0" \
  "opencv-python-headless==5.0.0.93" "pycocotools==2.0.11" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco
from segments import SegmentsDataset
from segments.utils import export_dataset


def squares(count):
    """So many squares of 4 x 4, numbered from 1, in rows of 20; classes 1 and 2 in turns of 256."""
    bitmap = np.zeros((6 * -(-count // 20), 120), np.uint32)
    for number in range(count):
        y, x = 6 * (number // 20) + 1, 6 * (number % 20) + 1
        bitmap[y : y + 4, x : x + 4] = number + 1
    return bitmap, [{"id": number + 1, "category_id": 1 + number // 256 % 2} for number in range(count)]


def exported(counts, form):
    """A release with its images and label bitmaps where the client keeps them, and what is exported from it."""
    folder = Path("segments/me_squares/v1")
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for count in counts:
        bitmap, annotations = squares(count)
        Image.fromarray(np.zeros((*bitmap.shape, 3), np.uint8)).save(folder / f"{count}.png")
        Image.fromarray(bitmap.astype(np.int32)).save(folder / f"{count}_label_ground-truth.png")
        url = f"https://example.invalid/{count}.png"
        label = {"label_status": "LABELED", "attributes": {"segmentation_bitmap": {"url": url}, "annotations": annotations}}
        attributes = {"image": {"url": url}}
        samples.append({"uuid": str(count), "name": f"{count}.png", "attributes": attributes, "metadata": {}, "labels": {"ground-truth": label}})
    categories = [{"id": 1, "name": "leaf", "color": [0, 255, 0]}, {"id": 2, "name": "fruit", "color": [255, 0, 0]}]
    dataset = {"name": "squares", "owner": "me", "task_type": "segmentation-bitmap", "labelsets": [{"name": "ground-truth"}], "samples": samples}
    Path("release.json").write_text(json.dumps({"name": "v1", "dataset": {**dataset, "task_attributes": {"categories": categories}}}))
    with redirect_stdout(None):
        result = export_dataset(SegmentsDataset("release.json"), export_folder="out", export_format=form)
    if form == "instance-color":
        return np.asarray(Image.open(f"out/{counts[0]}_label_ground-truth_instance_colored.png"))
    return json.loads(Path(result[0]).read_text())["annotations"]


def corners(annotation):
    """The upper left corner of each polygon of an object."""
    return [tuple(np.reshape(polygon, (-1, 2)).min(0).tolist()) for polygon in annotation["polygons"]]


print("segments-ai", version("segments-ai"))
known = True
for counts in ([300], [260, 400, 600]):
    found = exported(counts, "polygon")
    instances = exported(counts, "coco-instance")
    for place, count in enumerate(counts):
        own = [(6 * (number % 20) + 1, 6 * (number // 20) + 1) for number in range(count)]
        ones = [corners(one) for one in found if one["image_id"] == place + 1]
        masks = [coco.decode(one["segmentation"]) for one in instances if one["image_id"] == place + 1]
        right = sum(np.argwhere(mask)[0].tolist() == [y, x] and mask.sum() == 16 for mask, (x, y) in zip(masks, own))
        empty = [number + 1 for number in range(count) if not ones[number]]
        others = [number + 1 for number in range(count) if set(ones[number]) - {own[number]}]
        print(f"{count} objects: expected 0 without a polygon, seen {len(empty)}, from {empty[0]} to {empty[-1]}")
        print(f"  expected 0 with another's, seen {len(others)}, from {others[0]} to {others[-1]}; as COCO instances {right} of {len(masks)} right")
        known &= empty == [*range(256, count + 1)] and others == [*range(1, min(count - 256, 255) + 1)] and right == len(masks) == count
        known &= set(ones[0]) == {own[n] for n in range(0, count, 256)}
colours = exported([300], "instance-color")
first, black, again = (tuple(colours[6 * (n // 20) + 2, 6 * (n % 20) + 2].tolist()) for n in (0, 255, 256))
print(f"colours: 1 has {first}; of 256 expected another than the background's (0, 0, 0), seen {black}; 257 has {again}")
raise SystemExit(not (known and black == (0, 0, 0) and first == again))
PYTHON
