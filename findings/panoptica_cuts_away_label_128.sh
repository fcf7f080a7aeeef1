#!/usr/bin/env bash
# panoptica 2.1.7, instance metrics for segmentations: objects of label 128 in both prediction and reference are cut away where the two agree.
# One would expect that scores do not depend on which number an object bears: a square of 40 x 40 pixels of which the prediction lacks a corner of 10 x 10
# has an IoU of 1500 / 1600 and a Dice of 0.968, as with the labels 1, 127 or 254.
# Seen with the label 128: Dice 0.468, and matching finds no object, so one false positive, one missed and a panoptic quality of 0 for 0.94. No warning.
# So for semantic maps and for instances of all integer types, with or without class groups: where 128 is the rim of an optic disc and 255 its cup, the
# rim's IoU is 0.62 for 0.86. A prediction that is perfect gets 1.
# (It cuts both to the box of what is not 0 in their sum, which is taken in bytes, where 128 + 128 is 0: so what is left is the box where they differ, and 2
# pixels around it. Other pairs with the sum 256, as 100 and 156, vanish as well.)  The code has been so since 1.0.1 at least.
# Who scores maps that are 0, 128 and 255, as grey masks often are, gets numbers that are far too low.
# `wsss` does not use panoptica.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "panoptica==2.1.7" "numpy==2.2.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
PANOPTICA_CITATION_REMINDER=false "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import warnings
from importlib.metadata import version

import numpy as np
from panoptica import ConnectedComponentsInstanceApproximator, InputType, NaiveThresholdMatching, Panoptica_Evaluator
from panoptica.metrics import Metric
from panoptica.utils.label_group import LabelGroup
from panoptica.utils.segmentation_class import SegmentationClassGroups


def score(prediction, reference, kind=InputType.SEMANTIC, groups=None):
    """For each class: objects found, invented and missed, the panoptic quality and the Dice of the whole."""
    evaluator = Panoptica_Evaluator(
        expected_input=kind,
        instance_approximator=ConnectedComponentsInstanceApproximator() if kind == InputType.SEMANTIC else None,
        instance_matcher=NaiveThresholdMatching(),
        global_metrics=[Metric.DSC],
        segmentation_class_groups=groups and SegmentationClassGroups(groups),
    )
    results = evaluator.evaluate(prediction, reference, verbose=False)
    return {name: (r.tp, r.fp, r.fn, round(float(r.pq), 3), round(float(r.global_bin_dsc), 3)) for name, r in results.items()}


reference = np.zeros((100, 100), np.uint8)
reference[20:60, 20:60] = 1
prediction = reference.copy()
prediction[20:30, 20:30] = 0
right, wrong = (1, 0, 0, 0.938, 0.968), (0, 1, 1, 0.0, 0.468)
print("panoptica", version("panoptica"))
seen = {}
for label in (1, 127, 128, 129, 254):
    for kind in (InputType.SEMANTIC, InputType.UNMATCHED_INSTANCE):
        for type_ in (np.uint8, np.int64):
            maps = (np.multiply(a, label, dtype=type_) for a in (prediction, reference))
            (seen[label, kind.name, type_.__name__],) = score(*maps, kind).values()
for (label, *how), found in seen.items():
    print(f"label {label}, {' '.join(how)}: found, invented, missed, quality, Dice: expected {right}, seen {found}")
(perfect,) = score(reference * np.uint8(128), reference * np.uint8(128)).values()
print("label 128, perfect: expected (1, 0, 0, 1.0, 1.0), seen", perfect)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    score(prediction * np.uint8(128), reference * np.uint8(128))
(other,) = score(prediction * np.uint8(156), reference * np.uint8(100), InputType.UNMATCHED_INSTANCE).values()
print(f"instance 156 predicted for 100: expected {right}, seen {other}")

reference[30:50, 30:50] = 2
prediction[30:50, 34:50] = 2
known = score(prediction, reference, groups={"rim": LabelGroup(1), "cup": LabelGroup(2)})
grey = np.array([0, 128, 255], np.uint8)
found = score(grey[prediction], grey[reference], groups={"rim": LabelGroup(128), "cup": LabelGroup(255)})
print(f"rim and cup as 128 and 255: expected {known} (as 1 and 2), seen {found}")
raise SystemExit(
    any(result != (wrong if label == 128 else right) for (label, *_), result in seen.items())
    or (perfect, other) != ((1, 0, 0, 1.0, 1.0), wrong)
    or (known["rim"][3], found["rim"][3]) != (0.859, 0.619)
    or known["cup"] != found["cup"]
)
PYTHON
