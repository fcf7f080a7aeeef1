"""Pixel-adaptive refinement and the labels of two background scores against the released code."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.refine.dual import refined_labels
from wsss_cli.refine.par import distances, kernel, par
from wsss_cli.refine.par_config import Par


def tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array))


@vectors("toco/par")
def test_refines_as_released(ref: dict[str, Any]) -> None:
    images, masks = tensor(ref["imgs"]), tensor(ref["masks"])
    np.testing.assert_allclose(distances(Par().dilations), ref["pos"], rtol=1e-6)
    np.testing.assert_allclose(par(images, masks, Par(iterations=1)), ref["out_1iter"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(par(images, masks), ref["out"], rtol=1e-5, atol=1e-6)


@vectors("puf/par_refine")
def test_refines_as_released_by_puf(ref: dict[str, Any]) -> None:
    found = par(tensor(ref["par_in_img"]), tensor(ref["par_in_mask"]))
    np.testing.assert_allclose(found, ref["par_out"], rtol=1e-5, atol=1e-6)
    tags = tensor(ref["cls_label"])
    labels = refined_labels(tensor(ref["img_denorm"]), tensor(ref["valid_cam"]), tags, None, ref["high"], ref["low"])
    assert (labels != tensor(ref["refined_label"])).float().mean() < 1e-3


@vectors("toco/refine_cams")
def test_labels_of_two_background_scores(ref: dict[str, Any]) -> None:
    parts = (tensor(ref[name]) for name in ("images", "valid_cams", "cls_labels", "img_box"))
    labels = refined_labels(*parts, ref["high_thre"], ref["low_thre"])
    assert labels.dtype == torch.uint8
    assert (labels != tensor(ref["refined_label"])).float().mean() < 1e-3


def test_weights_of_the_neighbours_sum_to_a_hundredth_more_than_one() -> None:
    images = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    images[1] = 0.5  # one colour: nothing to tell pixels apart by
    weights = kernel(images, Par()).weights
    assert weights.shape == (2, 48, 9, 7)
    torch.testing.assert_close(weights.sum(1), torch.full((2, 9, 7), 1.01))


def test_without_tags_all_is_background() -> None:
    labels = refined_labels(torch.rand(1, 3, 8, 8), torch.zeros(1, 4, 8, 8), torch.zeros(1, 4), None, 0.7, 0.25)
    assert labels.shape == (1, 8, 8) and not labels.any()
