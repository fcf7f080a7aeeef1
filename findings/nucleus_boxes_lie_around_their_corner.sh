#!/usr/bin/env bash
# scale-nucleus 0.22.3, Scale's client for annotated data sets: its box metrics take the upper left corner of a box for the middle.
# One would expect of BoxAnnotation and BoxPrediction what their docs say, x is "the distance, in pixels, between the left border of the bounding box and the left
# border of the image", and of PolygonIOU, PolygonPrecision and PolygonRecall, for "box or polygon annotations and predictions", the IoU of these boxes, the same
# as of the polygons with the same corners.
# Seen, of a box of 100 x 100 and its right half: IoU 0.2, with 0.5 expected and given for the two as polygons, and for the left half; of its right third 0.01,
# for 0.34. Of a box and the polygon of the same four corners: 0.14, with 1.0 expected.
# Of boxes found without a tenth to a half at one side, in 100 images with 10 boxes each: where the right or lower part is missing all is as expected, a mean
# IoU of 0.70, precision and recall 1.0; where the left or upper part is missing 0.49 and 0.46. Against polygons precision and recall of boxes are 0.0.
# No warning, and its tracker does not name it. (The corners are made by half the width to either side of x; only boxes of equal size, or with a common corner
# up and left, get the IoU right.)
# Models are validated and compared by it: one that misses the left or upper part of objects seems to find half as many as one that misses the right part.
# `wsss` does not use Nucleus.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "scale-nucleus==0.22.3" "numpy==2.4.6" "scipy==1.17.1" "shapely==2.2.0" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from nucleus import BoxAnnotation, BoxPrediction, Point, PolygonAnnotation, PolygonPrediction
from nucleus.annotation import AnnotationList
from nucleus.metrics import PolygonIOU, PolygonPrecision, PolygonRecall
from nucleus.prediction import PredictionList


def objects(boxes, as_boxes, predicted, image="image"):
    """Boxes of left, upper, width and height as they are, or as the polygons of their corners."""
    given = dict(label="car", reference_id=image)
    if as_boxes:
        return [(BoxPrediction if predicted else BoxAnnotation)(x=x, y=y, width=w, height=h, **given) for x, y, w, h in boxes]
    corners = [[Point(x, y), Point(x + w, y), Point(x + w, y + h), Point(x, y + h)] for x, y, w, h in boxes]
    return [(PolygonPrediction if predicted else PolygonAnnotation)(vertices=vertices, **given) for vertices in corners]


def seen(metric, truth, found, truth_as_boxes=True, found_as_boxes=True):
    annotations, predictions = AnnotationList(), PredictionList()
    (annotations.box_annotations if truth_as_boxes else annotations.polygon_annotations).extend(objects(truth, truth_as_boxes, False))
    (predictions.box_predictions if found_as_boxes else predictions.polygon_predictions).extend(objects(found, found_as_boxes, True))
    return float(metric(annotations, predictions).value)


def overlap(one, other):
    """The IoU of two boxes."""
    sides = [max(0, min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis])) for axis in (0, 1)]
    return sides[0] * sides[1] / (one[2] * one[3] + other[2] * other[3] - sides[0] * sides[1])


print("scale-nucleus", version("scale-nucleus"))
known = True
whole = (0, 0, 100, 100)
for name, box, value in (("left half", (0, 0, 50, 100), 0.5), ("right half", (50, 0, 50, 100), 0.2), ("right third", (66, 0, 34, 100), 0.01)):
    as_box, as_polygon = round(seen(PolygonIOU(), [whole], [box]), 2), round(seen(PolygonIOU(), [whole], [box], False, False), 2)
    print(f"a box and its {name}: expected an IoU of {overlap(whole, box)}, seen {as_box}, as polygons {as_polygon}")
    known &= as_box == value and as_polygon == round(overlap(whole, box), 2)
mixed = round(seen(PolygonIOU(), [whole], [whole], False, True), 2)
print(f"a polygon and the same as a box: expected 1.0, seen {mixed}")
known &= mixed == 0.14

random = np.random.default_rng(0)


def part(box, side):
    """A box without up to half of it at one side."""
    left, upper, width, height = box
    cut = random.uniform(0.1, 0.5)
    return {
        "left": (left + cut * width, upper, width * (1 - cut), height),
        "upper": (left, upper + cut * height, width, height * (1 - cut)),
        "right": (left, upper, width * (1 - cut), height),
        "lower": (left, upper, width, height * (1 - cut)),
    }[side]


scores = {}
for side in ("left", "upper", "right", "lower"):
    values = []
    for _ in range(100):
        truth = [(130 * (n % 5), 130 * (n // 5), *random.uniform(20, 90, 2)) for n in range(10)]
        found = [part(box, side) for box in truth]
        right = np.mean([overlap(*pair) for pair in zip(truth, found)])
        row = [right, seen(PolygonIOU(), truth, found)]
        for first, second in ((False, False), (True, True), (False, True)):
            row.append(seen(PolygonRecall(), truth, found, first, second))
            known &= row[-1] == seen(PolygonPrecision(), truth, found, first, second)
        values.append(row)
    scores[side] = np.mean(values, axis=0).round(2).tolist()
    iou, iou_seen, as_polygons, as_boxes, mixed = scores[side]
    print(f"1000 boxes without a part at the {side} side: expected a mean IoU of {iou}, seen {iou_seen}")
    print(f"  precision and recall: expected {as_polygons}, seen {as_boxes}, of boxes against polygons {mixed}")
for side, (iou, iou_seen, as_polygons, as_boxes, mixed) in scores.items():
    known &= as_polygons == 1 and mixed < 0.1
    known &= as_boxes == 1 and iou == iou_seen if side in ("right", "lower") else as_boxes < 0.8 and iou_seen < iou - 0.1
raise SystemExit(not known)
PYTHON
