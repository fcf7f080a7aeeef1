"""Instance labels against the released code, and what its options change."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from reference_vectors import vectors
from wsss_bcm.config import Instances
from wsss_bcm.instances import box_annotations
from wsss_bcm.polygons import contours, polygons
from wsss_cli.data.instances import coco_file
from wsss_cli.data.prepared import Box, Sample


@vectors("bcm/instance")
def test_annotations_are_the_released_ones(ref: dict[str, Any]) -> None:
    boxes = [
        Box(c, x0 - 1, y0 - 1, x1, y1)
        for c, (x0, y0, x1, y1) in zip(ref["category"].tolist(), ref["boxes_xml"].tolist())
    ]
    made = box_annotations(ref["mask"], boxes, Instances())
    assert len(made) == len(boxes)
    for i, (row, meta) in enumerate(zip(made, ref["meta"].tolist())):
        assert [*row["bbox"], row["area"], len(row["segmentation"])] == [*meta[:5], meta[6]]
        assert row["category_id"] == ref["category"][i]
        for j, points in enumerate(row["segmentation"]):
            np.testing.assert_allclose(points, ref[f"poly_{i}_{j}"], rtol=0, atol=1e-9)
    masks = box_annotations(ref["mask"], boxes, Instances(shape="rle", area="mask"))
    for row, box, meta in zip(masks, boxes, ref["meta"].tolist()):
        assert row["area"] == meta[5] == int(rle.area(row["segmentation"]))
        assert bool(meta[7]) == (row["area"] == (box.x1 - box.x0) * (box.y1 - box.y0))


def test_contours_separate_pixels_that_touch_by_corners() -> None:
    mask = np.zeros((5, 5), bool)
    mask[1, 1] = mask[2, 2] = True
    lines = contours(mask)
    assert [len(line) for line in lines] == [5, 5] and all((line[0] == line[-1]).all() for line in lines)
    assert {tuple(p) for p in lines[0].tolist()} == {(0.5, 1), (1, 0.5), (1.5, 1), (1, 1.5)}
    assert polygons(mask[1:4, 1:4], 2.0) == []  # so small that nothing of them is left


def test_a_ring_has_two_contours() -> None:
    mask = np.ones((9, 9), bool)
    mask[3:6, 3:6] = False
    outer, inner = polygons(mask, 0.0)
    assert max(outer) == 8.5 and min(inner) == 2.5 and max(inner) == 5.5


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under NumPy 2
def test_overlapping_boxes_of_a_class() -> None:
    labels = np.full((40, 60), 3, np.uint8)
    boxes = [Box(3, 0, 0, 60, 40), Box(3, 10, 10, 30, 30), Box(1, 0, 0, 20, 20)]
    shared, own = (
        box_annotations(labels, boxes, Instances(shape="rle", area="mask", overlap=o)) for o in ("share", "smaller")
    )
    assert [row["area"] for row in shared] == [2400, 400, 400]
    assert [row["area"] for row in own] == [2000, 400, 400]  # the third has no pixel of its class: its whole box
    assert not (rle.decode(own[0]["segmentation"]) & rle.decode(own[1]["segmentation"])).any()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under NumPy 2
@pytest.mark.parametrize("shape", ["polygon", "rle"])
def test_coco_reads_the_file(tmp_path: Path, shape: Any) -> None:
    labels = np.zeros((40, 60), np.uint8)
    labels[5:25, 10:40] = 2
    score = np.full(labels.shape, 0.75, np.float32)
    rows = box_annotations(labels, [Box(2, 8, 3, 42, 27)], Instances(shape=shape), score)
    samples = [Sample("a", Path("x/a.jpg"), 60, 40, (2,)), Sample("b", Path("x/b.jpg"), 60, 40, ())]
    (tmp_path / "i.json").write_text(json.dumps(coco_file(samples, [rows, []], ["cat", "dog"])))
    coco = COCO(str(tmp_path / "i.json"))
    (found,) = coco.loadAnns(coco.getAnnIds(imgIds=1))
    assert coco.getAnnIds(imgIds=2) == [] and coco.loadCats(found["category_id"])[0]["name"] == "dog"
    assert found["bbox"] == [8, 3, 34, 24] and found["area"] == 34 * 24 and found["score"] == 0.75
    drawn = coco.annToMask(found)
    assert (drawn != (labels > 0)).sum() <= (0 if shape == "rle" else 120)
