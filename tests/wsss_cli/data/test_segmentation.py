"""Every form of a COCO segmentation is the same outline."""

import json
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle

from wsss_cli.data.objects import as_run_lengths
from wsss_cli.data.segmentation import Outline, outline_of, short_parts, short_warning

POINTS = [1, 1, 11, 1, 11, 11, 1, 11]
PAIRS = [[1, 1], [11, 1], [11, 11], [1, 11]]
RUNS = {"size": [30, 40], "counts": [31, 10, 1159]}


@pytest.mark.parametrize(
    "segmentation",
    [POINTS, [POINTS], [PAIRS], PAIRS, [[POINTS]], [[PAIRS]], [[[POINTS]]], [{"x": x, "y": y} for x, y in PAIRS]],
)
@pytest.mark.parametrize("text", [False, True])
def test_polygons(segmentation: Any, text: bool) -> None:
    assert outline_of(json.dumps(segmentation) if text else segmentation) == Outline([POINTS], [], 0)


@pytest.mark.parametrize(
    ("segmentation", "expected"),
    [
        (RUNS, ([], [RUNS], 0)),
        ([RUNS, RUNS], ([], [RUNS, RUNS], 0)),
        (json.dumps(RUNS), ([], [RUNS], 0)),
        (str(RUNS), ([], [RUNS], 0)),
        ([POINTS, RUNS], ([POINTS], [RUNS], 0)),
        ({"size": [1, 1], "counts": "b'01'"}, ([], [{"size": [1, 1], "counts": "01"}], 0)),
        ({"size": [1, 1], "counts": "b'0\\\\1'"}, ([], [{"size": [1, 1], "counts": "0\\1"}], 0)),
        ([POINTS, [1, 1, 5, 5], [3, 3]], ([POINTS], [], 2)),
        ([[1, 1, 5, 5]], ([], [], 1)),
        *((nothing, ([], [], 0)) for nothing in (None, [], [[]], {}, "", " ", "[]", "null", False, 0)),
    ],
)
def test_parts(segmentation: Any, expected: Any) -> None:
    assert outline_of(segmentation) == expected
    assert short_parts(segmentation) == expected[2]


@pytest.mark.parametrize(
    ("segmentation", "says"),
    [
        ({"size": [3, 3]}, "a mapping of size, neither polygons nor runs"),
        ([{"points": POINTS}], "a mapping of points"),
        ("polygon", "the text 'polygon', which holds no list"),
        (3, "segmentation is 3"),
        ([POINTS, 4], "segmentation is 4"),
    ],
)
def test_what_is_none(segmentation: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        outline_of(segmentation)
    assert short_parts(segmentation) == 0


def test_parts_of_both_kinds_are_one_object() -> None:
    other = rle.encode(np.asfortranarray(np.pad([[1]], ((20, 9), (30, 9))), np.uint8))
    for counts in (other["counts"].decode(), [30 * 30 + 20, 1, 9 + 30 * 9]):
        both = as_run_lengths([POINTS, {"size": [30, 40], "counts": counts}], 30, 40)
        assert rle.area(both) == 101 and rle.toBbox(both).tolist() == [1, 1, 30, 20]
    with pytest.raises(ValueError, match="no outline"):
        as_run_lengths([[1, 1, 5, 5]], 30, 40)
    for beyond in ([[1, 1, 5, 1, 2**70, 5]], [[1, 1, 5, 1, 5, float("nan")]], [[1, 1, 5, 1, 5, -401]]):
        with pytest.raises(ValueError, match="far outside the image"):
            as_run_lengths(beyond, 30, 40)
    smaller = rle.encode(np.zeros((30, 39), np.uint8, order="F"))["counts"].decode()
    for counts in ([-1, 1201], [1199], [2**70], smaller):
        with pytest.raises(ValueError, match="do not cover 40 x 30 pixels"):
            as_run_lengths({"size": [30, 40], "counts": counts}, 30, 40)
    for size in ([40, 30], [30, 39], None):
        with pytest.raises(ValueError, match=r"not \[30, 40\] as the image"):
            as_run_lengths({"size": size, "counts": [1200]}, 30, 40)
    assert short_warning("c.json", 0) is None and "c.json: 2 outline" in str(short_warning("c.json", 2))
