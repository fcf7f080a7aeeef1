"""Masked patches against the released code's, and what holds for any draw."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_puf.masking import masked_blocks, masked_number, masked_tokens, to_tokens, uncertain


@vectors("puf/masking")
def test_masks_are_the_released_ones(ref: dict[str, Any]) -> None:
    block, size = ref["block_size"], ref["input_size"]
    each, side = block // ref["patch_size"], size // block
    ratio = round(ref["mask_ratio"], 6)  # float32 in the file
    cams = torch.from_numpy(ref["cam"] * ref["cls_label"][:, :, None, None])
    noise = torch.from_numpy(ref["noise"]).view(-1, side, side)
    unsure = uncertain(cams, ref["low"], ref["high"], block)
    np.testing.assert_array_equal(unsure, ref["roi_blocks"])
    for roi, name in (
        (unsure, "mask_uncertain"),
        (None, "mask_random"),
        (uncertain(torch.zeros_like(cams), ref["low"], ref["high"], block), "mask_uncertain_emptyroi"),
    ):
        blocks = masked_blocks(noise, roi, ratio)
        assert (blocks.flatten(1).sum(1) == ref["n_removed"]).all()
        np.testing.assert_array_equal(to_tokens(blocks, each), ref[name])


def test_unsure_blocks_come_first() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(64, 4, 6, generator=generator)
    unsure = torch.rand(64, 4, 6, generator=generator) < 0.3
    mask = masked_blocks(noise, unsure, 0.4)
    assert (mask.flatten(1).sum(1) == 10).all()
    few = unsure.flatten(1).sum(1) <= 10
    assert few.any() and not few.all()
    assert not (unsure & ~mask)[few].any()  # all of a few
    assert not (mask & ~unsure)[~few].any()  # of many no other
    assert to_tokens(mask, 3).shape == (64, 12, 18)


def test_thresholds_are_strict() -> None:
    cams = torch.tensor([0.2, 0.3, 0.7, 0.9]).view(1, 1, 2, 2)
    assert uncertain(cams, 0.2, 0.7, 1).tolist() == [[[False, True], [False, False]]]


def test_no_ratio_masks_nothing() -> None:
    assert not masked_blocks(torch.rand(2, 3, 3), None, 0.0).any()


def test_tokens_of_the_mask_are_found_without_counting() -> None:
    """Where every image has as many, to the bit what a boolean index takes, and its gradient."""
    torch.manual_seed(0)
    mask = to_tokens(masked_blocks(torch.rand(3, 4, 5), None, 0.3), 2)
    each = masked_number(20, 0.3) * 4
    tokens = torch.rand(3, 80, 7, requires_grad=True)
    weights = torch.rand(3 * each, 7)
    (counted,), (unasked,) = (
        torch.autograd.grad((masked_tokens(tokens, mask, n) * weights).sum(), tokens) for n in (None, each)
    )
    assert torch.equal(masked_tokens(tokens, mask, each), tokens[mask.flatten(1)]) and torch.equal(counted, unasked)
