"""Boxes and run lengths of one annotation, against pycocotools; what is none is told."""

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle

from tiny_coco import SEGMENTATIONS, H, W, decoded
from wsss_cli.data.run_lengths import uncompressed
from wsss_coco.objects import half_open, run_lengths
from wsss_coco.paint import painted


@pytest.mark.parametrize(
    ("bbox", "box"),
    [
        ([0, 0, 60, 40], (0, 0, 60, 40)),
        ([10.4, 5.6, 9.9, 3.0], (10, 5, 21, 9)),
        ([0.01, 0.02, 53.99, 10.98], (0, 0, 54, 11)),
        ([-3.5, 35, 8, 20], (0, 35, 5, 40)),
        ([7, 9, 0, 0], (7, 9, 8, 10)),
        ([7.5, 9, 2, 0.0], (7, 9, 10, 10)),
        ([60, 3, 0, 5], None),
        ([-8, 3, 5, 5], None),
    ],
    ids=["whole", "decimal", "sum", "beyond", "point", "line", "right of it", "left of it"],
)
def test_boxes_become_half_open(bbox: Any, box: Any) -> None:
    assert half_open(bbox, 60, 40) == box


@pytest.mark.parametrize("x", [100.01, 33.33, 0.29, 599.57])
def test_a_decimal_sum_takes_no_pixel_more(x: float) -> None:
    assert half_open([x, 0, round(601 - x, 2), 1], 640, 480) == (int(x), 0, 601, 1)


@pytest.mark.parametrize("bbox", [None, [1, 2, 3], [1, 2, 3, "4"], [1, 2, float("nan"), 3], [1, 2, -1, 3], {}])
def test_what_is_no_box(bbox: Any) -> None:
    with pytest.raises(ValueError, match="bbox"):
        half_open(bbox, 60, 40)


@pytest.mark.parametrize("kind", SEGMENTATIONS, ids=lambda f: f.__name__)
def test_run_lengths_are_those_of_pycocotools(kind: Any) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        segmentation = kind(rng)
        assert (painted([(run_lengths(segmentation, W, H), 1)], W, H) == decoded(segmentation, W, H)).all()


def test_long_runs_are_uncompressed() -> None:
    """Runs of one to four groups of bits, differences of both signs."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        mask = np.zeros(700 * 600, np.uint8)
        for at in rng.integers(0, mask.size, 12):
            mask[at : at + int(2 ** rng.uniform(0, 18))] ^= 1
        ends = np.concatenate([[-1], np.flatnonzero(np.diff(mask)), [mask.size - 1]])
        expected = [0] * int(mask[0]) + np.diff(ends).tolist()
        theirs = rle.encode(np.asfortranarray(mask.reshape(600, 700).T))
        assert uncompressed(theirs["counts"]).tolist() == expected


@pytest.mark.parametrize(
    ("segmentation", "says"),
    [
        (None, "is missing or empty"),
        ([], "is missing or empty"),
        ([[1, 1, 5, 1, 5, 5, 1]], "has 7 numbers"),
        ([[1, 1, 5, 1]], "is missing or empty"),
        ([[], []], "is missing or empty"),
        ([[1, 1, 5, 1, 5, "5"]], "no list of numbers"),
        (["x"] * 6, "no list of numbers"),
        ([[1, 1, 5, 1, float("inf"), 5]], "no list of numbers"),
        ([[1, 1, 5, 1, -1e9, 5]], "goes to -1000000000.0, far outside"),
        ({"size": [W, H], "counts": [W * H]}, r"of size \[60, 40\], not \[40, 60\] as the image"),
        ({"size": [H, W], "counts": [W * H - 1]}, "cover 2399 pixels, not 60 x 40"),
        ({"size": [H, W], "counts": [W * H + 5, -5]}, "no run lengths"),
        ({"size": [H, W], "counts": "a~"}, "no run lengths"),
        ({"size": [H, W], "counts": "P"}, "no run lengths"),
        ({"size": [H, W], "counts": ""}, "no run lengths"),
        ({"size": [H, W], "counts": "0"}, "cover 0 pixels"),
        ({"size": [H, W], "counts": "ooooooooooo0"}, "no run lengths"),
        ({"size": [H, W], "counts": "é"}, "no run lengths"),
        ({"size": [H, W], "counts": [1e3, 1400]}, "no run lengths"),
        ({"size": [H, W]}, "a mapping of size, neither polygons nor runs"),
    ],
)
def test_what_is_no_segmentation(segmentation: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        run_lengths(segmentation, W, H)
