#!/usr/bin/env bash
# encord 0.1.211, the SDK of Encord: in the COCO it exports bitmasks and polygons of several parts or with holes are all crowds, and the latter are larger.
# One would expect of export_coco_labels what the format's docs say: iscrowd tells "a single object (iscrowd=0, using polygons)" from "a collection of objects",
# "Single objects may require multiple polygons if occluded, while crowd annotations are used for large groups of objects"; and the object's own pixels.
# Seen, of 200 cells in 10 images, all found exactly and scored by pycocotools with masks: as polygons of one part AP 1; as bitmasks, as polygons of two parts
# and as polygons with a hole AP -1: all 200 are crowds, which no score counts. With iscrowd put to 0, and nothing else, bitmasks have AP 1.
# Polygons of two parts have 23,885 pixels for 18,285, those with a hole 11,873 for 10,292, so that with iscrowd 0 they have AP 0.54 and 0.3, where bitmasks and
# polygons of one part have their right pixels: what is drawn has a row and a column more, at the lower and right side, and so have the holes.
# Two squares of 6 x 6 as one object are 98 pixels for 72. So corners count as pixels, once an object has several parts. (Ids are moved up by one here.)
# No warning. Its source says that COCO has no polygons of several parts, which it has; that they become crowds stands in neither the docs nor the tracker.
# Who trains on such a file, as is usual without crowds, has no nuclei from brushes, no occluded cars and no rings; a score of them does not count them.
# `wsss prepare folder --coco` says how many are crowds and takes them for objects if all are, else with `--crowd paint`; the pixels stay those of the file.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "encord==0.1.211" "numpy==1.26.4" "opencv-python-headless==4.11.0.86" \
  "pycocotools==2.0.11" "shapely==2.2.0" "pydantic==2.14.4" "orjson==3.13.0" "cryptography==50.0.2" "python-dateutil==2.9.0.post0" "requests==2.34.2" \
  "tqdm==4.70.1" "typing-extensions==4.16.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import json
from datetime import datetime
from importlib.metadata import version

import numpy as np
from encord.objects import LabelRowV2, OntologyStructure, Shape
from encord.objects.coordinates import BitmaskCoordinates, PointCoordinate, PolygonCoordinates
from encord.ontology import Ontology
from encord.orm.ontology import Ontology as Record
from encord.orm.storage import CustomerProvidedImageMetadata
from encord.utilities.coco.exporter import CocoExporter
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

WIDTH, HEIGHT = 200, 160
structure = OntologyStructure()
classes = {shape: structure.add_object(shape.value, shape) for shape in (Shape.POLYGON, Shape.BITMASK)}
ontology = Ontology(Record("cells", structure, "ontology", datetime(2026, 1, 1), datetime(2026, 1, 1)), None)


def ring(x, y, width, height):
    return [PointCoordinate(x=a / WIDTH, y=b / HEIGHT) for a, b in ((x, y), (x + width, y), (x + width, y + height), (x, y + height))]


def drawn(rings):
    """The pixels of an object: those whose centres lie in its first ring, and in none of the others if they are holes."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for x, y, width, height in rings:
        mask[y : y + height, x : x + width] ^= True
    return mask


def exported(kind, images):
    """The COCO of images of objects, each a list of rectangles: parts, or an outline and its hole."""
    rows = []
    for number, objects in enumerate(images):
        row = LabelRowV2.from_media_metadata(ontology, CustomerProvidedImageMetadata(width=WIDTH, height=HEIGHT, fileSize=1, mimeType="image/png"))
        for rings in objects:
            one = classes[Shape.BITMASK if kind == "bitmasks" else Shape.POLYGON].create_instance()
            rounds = [ring(*rectangle) for rectangle in rings]
            shape = PolygonCoordinates(polygons=[rounds] if kind == "with a hole" else [[part] for part in rounds])
            one.set_for_frames(BitmaskCoordinates(drawn(rings)) if kind == "bitmasks" else shape, frames=0)
            row.add_object_instance(one)
        rows.append(json.loads(json.dumps(row.to_encord_dict()).replace("00000000-0000-0000-0000-000000000000", f"image{number}")))
    coco = CocoExporter(rows, structure).export()
    for one in coco["annotations"]:
        one["id"] += 1
    return coco


def score(coco, images):
    """pycocotools' AP of results that are all right, by masks."""
    flat = [rings for objects in images for rings in objects]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(coco))
        truth.createIndex()
        right = [masks.encode(np.asfortranarray(drawn(rings).astype(np.uint8))) for rings in flat]
        place = [{"image_id": one["image_id"], "category_id": one["category_id"], "score": 0.9} for one in coco["annotations"]]
        judge = COCOeval(truth, truth.loadRes([{**one, "segmentation": mask} for one, mask in zip(place, right)]), "segm")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        pixels = sum(int(truth.annToMask(one).sum()) for one in truth.anns.values())
    return round(float(judge.stats[0]), 3), sum(one["iscrowd"] for one in coco["annotations"]), pixels, sum(int(drawn(rings).sum()) for rings in flat)


print("encord", version("encord"))
chance = np.random.default_rng(0)
images = {"one part": [], "two parts": [], "with a hole": []}
for _ in range(10):
    for objects in images.values():
        objects.append([])
    for cell in range(20):
        x, y = 40 * (cell % 5) + int(chance.integers(1, 8)), 40 * (cell // 5) + int(chance.integers(1, 8))
        width, height = (int(size) for size in chance.integers(6, 12, 2))
        images["one part"][-1].append([(x, y, width, height)])
        images["two parts"][-1].append([(x, y, width, height), (x + width + 4, y, 5, height // 2)])
        images["with a hole"][-1].append([(x, y, width, height), (x + 2, y + 2, width - 4, height - 4)])
images["bitmasks"] = images["two parts"]
known = True
for kind, crowds, wrong in (("one part", 0, 14230), ("bitmasks", 200, 18285), ("two parts", 200, 23885), ("with a hole", 200, 11873)):
    coco = exported(kind, images[kind])
    ap, seen, pixels, right = score(coco, images[kind])
    for one in coco["annotations"]:
        one["iscrowd"] = 0
    mended = score(coco, images[kind])[0]
    print(f"{kind}: expected AP 1, 0 crowds, {right} pixels, seen AP {ap}, {seen} crowds of 200, {pixels} pixels; with iscrowd 0 AP {mended}")
    known &= seen == crowds and ap == (-1 if crowds else 1) and pixels == wrong and (mended == 1) == (pixels == right)

two = exported("two parts", [[[(30, 10, 6, 6), (40, 10, 6, 6)]]])["annotations"][0]
print(f"two squares of 36 pixels: expected 72, box 30, 10, 16, 6, seen {two['area']}, {[float(side) for side in two['bbox']]}")
raise SystemExit(not (known and two["area"] == 98 and list(two["bbox"]) == [30, 10, 17, 7]))
PYTHON
