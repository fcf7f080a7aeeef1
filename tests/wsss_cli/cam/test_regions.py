"""CAMs to labels and regions against the released code."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from reference_vectors import vectors
from wsss_cli.cam.regions import cam_labels, inside, region_map


@vectors("toco/cam_to_label")
def test_labels_and_regions_of_toco(ref: dict[str, Any]) -> None:
    cams = torch.from_numpy(ref["cam"] * ref["cls_label"][:, :, None, None])
    boxes = torch.from_numpy(ref["img_box"])
    low, high, middle = ref["low_thre"], ref["high_thre"], ref["bkg_thre"]
    np.testing.assert_array_equal(cams, ref["valid_cam"])
    np.testing.assert_array_equal(cam_labels(cams, low, high, boxes), ref["label_ignore_mid"])
    np.testing.assert_array_equal(cam_labels(cams, middle, middle, boxes), ref["label_box_only"])
    np.testing.assert_array_equal(cam_labels(cams, middle, middle), ref["label_plain"])
    np.testing.assert_array_equal(region_map(cams, low, high), ref["roi_mask"])


@vectors("puf/cam_label_ptc")
def test_labels_of_puf(ref: dict[str, Any]) -> None:
    tags = torch.from_numpy(ref["cls_label"])[:, :, None, None]
    cams, aux = torch.from_numpy(ref["cam"]) * tags, torch.from_numpy(ref["aux_cam"]) * tags
    np.testing.assert_array_equal(cam_labels(cams, ref["low"], ref["high"]), ref["train_label"])
    np.testing.assert_array_equal(cam_labels(cams, ref["bkg"], ref["bkg"]), ref["eval_label"])
    small = F.interpolate(aux, ref["aux_label"].shape[1:], mode="bilinear", align_corners=False)
    np.testing.assert_array_equal(cam_labels(small, ref["low"], ref["high"]), ref["aux_label"])


def test_a_box_that_lies_outside_the_map_holds_nothing() -> None:
    boxes = torch.tensor([[0, 448, 0, 448], [40, 448, 0, 448], [0, 3, 2, 9]])
    found = inside(boxes, (28, 28))
    assert found[0].all() and not found[1].any()
    assert found[2].sum() == 3 * 7
