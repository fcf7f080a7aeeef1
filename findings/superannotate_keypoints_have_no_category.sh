#!/usr/bin/env bash
# superannotate 4.6.2, SuperAnnotate's SDK: keypoints exported to COCO have category ids that are in no category, and each object makes a category of its own.
# One would expect of export_annotation(..., "COCO", ..., task="keypoint_detection"), which by its docs "converts SuperAnnotate annotation format to the other
# annotation formats", what COCO asks: one category for each class, and of each annotation the id of its category.
# Seen, of two dogs and a cat in each of two images: six categories with the ids 1 to 6, four of them "dog"; the annotations have 777 and 888, the classes' ids
# in SuperAnnotate, so that by pycocotools 0 of the 6 are found by their categories, by the name "dog" 0 of 4; the same as boxes are all found. COCO's own
# evaluation of the truth against itself gives -1, no result, with 1 expected.
# Seen besides: where the class ids are 1 and 2 the annotations are found, but category 2 is the second dog's, so that the cats are dogs, 6 dogs for 4.
# No warning, and its tracker does not name it; it names the area of boxes (#885). (The ids of the categories are counted up, but the class's id is written; a
# skeleton's id, a number, is looked for among texts, so that it always seems new.)
# Pose data is trained without its annotations, or with as many classes as there are animals, skeletons and names mixed.
# `wsss` does not use superannotate.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "superannotate==4.6.2" "numpy==2.4.6" "pycocotools==2.0.11" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here SA_SKIP_METRICS=1 OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from superannotate import export_annotation

NAMES = {"0": "nose", "1": "eye", "2": "tail"}


def animal(kind, classes, left):
    """A skeleton of three points; each class has a skeleton of its own."""
    points = [{"id": 1 + n, "x": left + 4 * n, "y": 10 + 9 * n} for n in range(3)]
    skeleton = {"templateId": 1 + list(classes).index(kind), "pointLabels": dict(NAMES), "connections": [{"id": 1, "from": 1, "to": 2}]}
    return {"type": "template", "classId": classes[kind], "className": kind, "points": points, "groupId": 0, **skeleton}


def box(kind, classes, left):
    return {"type": "bbox", "classId": classes[kind], "className": kind, "points": {"x1": left, "y1": 10, "x2": left + 8, "y2": 28}, "groupId": 0}


def exported(make, task, classes, place):
    """Two dogs and a cat in each of two images."""
    folder = Path(place)
    (folder / "in/classes").mkdir(parents=True)
    (folder / "in/classes/classes.json").write_text(json.dumps([{"name": name, "id": number} for name, number in classes.items()]))
    for image in ("a.png", "b.png"):
        instances = [make(kind, classes, 5 + 25 * n) for n, kind in enumerate(["dog", "dog", "cat"])]
        data = {"metadata": {"name": image, "width": 100, "height": 50}, "instances": instances, "tags": [], "comments": []}
        (folder / "in" / f"{image}.json").write_text(json.dumps(data))
    with redirect_stdout(None):
        export_annotation(str(folder / "in"), str(folder / "out"), "COCO", "set", "Vector", task)
        coco = COCO(str(folder / "out/set.json"))
    return coco


def found(coco):
    """Annotations found by all categories, and by the name of one."""
    return len(coco.getAnnIds(catIds=coco.getCatIds())), len(coco.getAnnIds(catIds=coco.getCatIds(catNms=["dog"])))


def score(coco):
    """The truth against itself."""
    with redirect_stdout(None):
        results = [{key: one[key] for key in ("image_id", "category_id", "bbox", "keypoints")} | {"score": 0.9} for one in coco.dataset["annotations"]]
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[1])


print("superannotate", version("superannotate"))
large = {"dog": 777, "cat": 888}
boxes, points = exported(box, "object_detection", large, "boxes"), exported(animal, "keypoint_detection", large, "points")
print(f"4 dogs and 2 cats as boxes: {len(boxes.cats)} categories; found by category {found(boxes)}")
names = [one["name"] for one in points.dataset["categories"]]
ids = sorted({one["category_id"] for one in points.dataset["annotations"]})
print(f"as keypoints: expected 2 categories, seen {names} with ids {points.getCatIds()}; the annotations have {ids}")
print(f"found by category: expected (6, 4), seen {found(points)}; AP50 of the truth itself: expected 1.0, seen {score(points)}")
known = found(boxes) == (6, 4) and len(boxes.cats) == 2 and found(points) == (0, 0) and score(points) == -1 and ids == [777, 888]
known &= sorted(names) == ["cat"] * 2 + ["dog"] * 4 and points.getCatIds() == [1, 2, 3, 4, 5, 6]
small = exported(animal, "keypoint_detection", {"dog": 1, "cat": 2}, "small")
kinds = [small.cats[one["category_id"]]["name"] for one in small.dataset["annotations"]]
print(f"with class ids 1 and 2: expected 4 dogs and 2 cats, seen {kinds}")
raise SystemExit(not (known and kinds == ["dog"] * 6))
PYTHON
