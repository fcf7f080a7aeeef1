"""Label maps at the logits' size, box maps and box targets against the released code."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from reference_vectors import vectors
from wsss_bcm.boxes import box_map, centre, clip_to_boxes
from wsss_bcm.labels import box_target, nearest, resize_labels
from wsss_cli.data.prepared import Box


def ids(array: np.ndarray) -> Tensor:
    """Ids with ignore 255, as a label map holds them."""
    return torch.from_numpy(array.astype(np.uint8))


@vectors("bcm/resize_labels")
def test_labels_are_resized_as_by_pil(ref: dict[str, Any]) -> None:
    labels = ids(ref["labels"])
    for name in ("labels_1x", "labels_05", "labels_075"):
        assert torch.equal(resize_labels(labels, ref[name].shape[1:]), ids(ref[name]))


@vectors("bcm/resize_labels")
def test_rectangles(ref: dict[str, Any]) -> None:
    """The released code takes height and width the other way round; of how many columns the file does not say."""
    labels, (width, height) = ids(ref["labels"]), ref["rect_size_arg"].tolist()
    made = (resize_labels(labels[:, :, :n], (height, width)) for n in range(width, labels.shape[2] + 1))
    assert any(torch.equal(one, ids(ref["rect_out"])) for one in made)


@vectors("bcm/resize_labels")
def test_box_target(ref: dict[str, Any]) -> None:
    target = torch.from_numpy(ref["bcm_target"])
    boxes = resize_labels(ids(ref["boxes"]), target.shape[2:])
    assert torch.equal(box_target(boxes, target.shape[1]), target)


@vectors("bcm/recon_box_map")
def test_box_map(ref: dict[str, Any]) -> None:
    boxes = [Box(c, x0 - 1, y0 - 1, x1, y1) for c, x0, y0, x1, y1 in ref["boxes_xml"].tolist()]
    np.testing.assert_array_equal(box_map(boxes, tuple(ref["size_hw"])), ref["box_map"])


@pytest.mark.parametrize(("source", "target"), [(500, 625), (321, 41), (65, 49), (7, 100), (333, 1), (1, 5)])
def test_nearest_is_pils(source: int, target: int) -> None:
    row = np.arange(source, dtype=np.float32)[None]
    resized = np.array(Image.fromarray(row).resize((target, 1), Image.Resampling.NEAREST))[0]
    np.testing.assert_array_equal(nearest(source, target), resized)


def test_clipping_asks_for_a_box_of_the_class_itself() -> None:
    labels = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [0, 255, 1, 2]], np.uint8)
    clipped = clip_to_boxes(labels, [Box(1, 1, 0, 3, 3), Box(2, 2, 1, 3, 2)])
    assert clipped.tolist() == [[0, 1, 0, 0], [0, 1, 2, 0], [0, 0, 1, 0]] and clipped.dtype == np.uint8


def test_the_centre_is_a_fifth_of_the_area() -> None:
    rows, columns = centre(Box(1, 10, 20, 110, 120))
    assert (rows.stop - rows.start) * (columns.stop - columns.start) == 45**2
    assert rows.start - 20 == 27 and columns.start - 10 == 27
    assert centre(Box(1, 3, 4, 4, 5)) == (slice(4, 5), slice(3, 4))
