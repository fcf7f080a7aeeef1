#!/usr/bin/env bash
# dagshub-annotation-converter 0.3.0, DagsHub's converter of annotations: a COCO file that it reads and writes has each object twice, and ids of other objects.
# One would expect of load_coco_from_file and export_to_coco_file, which its README names as reader and writer of COCO's objects, that a file which has gone
# through both has the same objects with the same ids: the ids are kept, and by them the parts of an outline stay together.
# Seen, of 40 random objects in 5 images, with a box and an outline each, as COCO has them: 80 objects, 40 with a box and no outline, 40 with an outline and no
# box. 32 of the ids from 1 to 40 now stand for another object, in another image. pycocotools counts 80, and raises an error at a mask of a box
# and a box of an outline. With boxes alone, or outlines alone, there are 40 with their ids; Label Studio's JSON written from the file has 80 shapes.
# No warning, and its tracker does not name it. (Box and outline are read as two annotations with the id of the object; on writing the box of an image keeps the
# id, and the outline gets the next free one, which an object of a later image has.)
# Counts of objects and of classes are twice what they are; predictions, or corrections, that are joined by id go to other objects.
# `wsss prepare folder --coco` has the same tags and boxes of such a file, each box once; with --masks-from-shapes it refuses the file.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "dagshub-annotation-converter==0.3.0" "lxml==6.1.3" "numpy==2.4.6" "pandas==3.1.1" \
  "pillow==13.0.0" "pydantic==2.14.4" "pyyaml==6.0.4" "typing-extensions==4.16.0" "pycocotools==2.0.11" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from dagshub_annotation_converter.converters.coco import export_to_coco_file, load_coco_from_file
from dagshub_annotation_converter.formats.label_studio.task import LabelStudioTask
from pycocotools.coco import COCO


def made(parts):
    """A COCO file of 40 objects in 5 images, with boxes, outlines or both."""
    random = np.random.default_rng(0)
    images = [{"id": k + 1, "file_name": f"{k}.png", "width": 200, "height": 100} for k in range(5)]
    found = []
    for k in range(40):
        x, y, w, h = (int(random.integers(*bounds)) for bounds in ((0, 150), (0, 60), (5, 40), (5, 30)))
        both = {"bbox": [x, y, w, h], "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]]}
        found.append({"id": k + 1, "image_id": k // 8 + 1, "category_id": k % 3 + 1, "area": w * h, "iscrowd": 0} | {part: both[part] for part in parts})
    return {"images": images, "annotations": found, "categories": [{"id": k, "name": f"class {k}"} for k in (1, 2, 3)]}


def passed(coco):
    """The file read and written, and the number of shapes in Label Studio's JSON."""
    Path("coco.json").write_text(json.dumps(coco))
    found, context = load_coco_from_file("coco.json")
    annotations = [one for some in found.values() for one in some]
    export_to_coco_file(annotations, "again.json", context)
    tasks = [LabelStudioTask.from_ir_annotations(some).model_dump() for some in found.values()]
    return json.loads(Path("again.json").read_text()), sum(len(one["result"]) for task in tasks for one in task["annotations"])


def others(before, after, parts):
    """How many of the ids from 1 to 40 stand for an object with another image, box or outline."""
    names = [{image["id"]: image["file_name"] for image in coco["images"]} for coco in (before, after)]
    old = {one["id"]: one for one in before["annotations"]}
    changed = 0
    for one in (one for one in after["annotations"] if one["id"] in old):
        was = old[one["id"]]
        changed += names[1][one["image_id"]] != names[0][was["image_id"]] or any(one[part] != was[part] for part in parts if part in one)
    return changed


def counted(name):
    """What pycocotools counts, and how many masks and boxes it cannot give."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(name)
    missing = {"bbox": 0, "segmentation": 0}
    for one in coco.loadAnns(coco.getAnnIds()):
        for part, get in (("bbox", lambda one: one["bbox"]), ("segmentation", coco.annToMask)):
            try:
                get(one)
            except KeyError:
                missing[part] += 1
    return len(coco.getAnnIds()), missing


print("dagshub-annotation-converter", version("dagshub-annotation-converter"))
known = True
for parts, objects, changed in ((["bbox", "segmentation"], 80, 32), (["bbox"], 40, 0), (["segmentation"], 40, 0)):
    before = made(parts)
    after, shapes = passed(before)
    alone = [sum(part not in one for one in after["annotations"]) for part in parts]
    seen = len(after["annotations"]), others(before, after, parts), shapes
    print(f"{' and '.join(parts)}: expected 40 objects, 0 ids of others and 40 shapes, seen {seen}; without {parts}: expected {[0] * len(parts)}, seen {alone}")
    counts = counted("again.json")
    print(f"  by pycocotools {counts[0]} objects, without a part {counts[1]}")
    known &= seen == (objects, changed, objects) and alone == ([40, 40] if objects == 80 else [0]) and counts[0] == objects
    if objects == 80:
        known &= counts[1] == {"bbox": 40, "segmentation": 40}
raise SystemExit(not known)
PYTHON
