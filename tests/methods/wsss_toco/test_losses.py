"""The contrast of class tokens, and where local crops lie, against the released code."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_toco.crops import crop_corners, crop_flags, cut
from wsss_toco.losses import class_token_contrast


@vectors("toco/ctc")
def test_loss_is_the_released_one(ref: dict[str, Any]) -> None:
    student = torch.from_numpy(ref["student"]).requires_grad_()
    teacher, flags = torch.from_numpy(ref["teacher"]), torch.from_numpy(ref["flags"])
    loss = class_token_contrast(student, teacher, flags, ref["temp"])
    loss.backward()
    np.testing.assert_allclose(loss.item(), ref["loss"], rtol=1e-5)
    np.testing.assert_allclose(student.grad, ref["grad_student"], rtol=1e-5, atol=1e-7)
    positive = class_token_contrast(student, teacher, torch.ones_like(flags), ref["temp"])
    np.testing.assert_allclose(positive.item(), ref["loss_all_positive"], rtol=1e-3)  # next to 1, in float32


def test_alike_prototypes_do_not_overflow() -> None:
    """1024 cosines of 1 each: the released exp(2048) is infinite."""
    student = torch.ones(20, 1024, requires_grad=True)
    loss = class_token_contrast(student, torch.ones(4, 1024), torch.ones(2, 10), 0.5)
    loss.backward()
    assert loss.isfinite() and student.grad is not None and student.grad.isfinite().all()


@vectors("toco/local_crops")
def test_crops_are_the_released_ones(ref: dict[str, Any]) -> None:
    regions, size, number = torch.from_numpy(ref["roi_mask"]), ref["crop_size"], ref["crop_num"]
    corners = torch.stack(
        [
            crop_corners(region, size, number, lambda _, i=i: torch.from_numpy(ref[f"perm_{i}"]))
            for i, region in enumerate(regions)
        ]
    )
    np.testing.assert_array_equal(corners, ref["top_left_hw"])
    np.testing.assert_array_equal(crop_flags(regions, corners, size, 0.2), ref["flags"])
    crops = cut(torch.from_numpy(ref["images"]), corners, size)
    np.testing.assert_array_equal(crops.unflatten(0, (number, -1)).transpose(0, 1), ref["crops"])


def test_where_all_is_sure_crops_lie_anywhere() -> None:
    regions = torch.full((40, 50), 2, dtype=torch.uint8)
    corners = crop_corners(regions, 17, 8, torch.randperm)
    assert corners.shape == (8, 2) and (corners.amax(0) <= torch.tensor([40 - 17, 50 - 17])).all()
    assert crop_flags(regions[None], corners[None], 17, 0.2).tolist() == [[1.0] * 10]
