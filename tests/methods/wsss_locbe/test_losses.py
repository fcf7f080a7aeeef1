"""LOC-BE's losses against the released functions, and what each of them is minimal for."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.losses.token_contrast import token_contrast
from wsss_locbe.attention import attention_affinity
from wsss_locbe.losses import contrast_across_images, contrast_per_image


@vectors("locbe/loc_contrast")
def test_loc_contrast(ref: dict[str, Any]) -> None:
    whole, local = (torch.from_numpy(ref[n]).requires_grad_() for n in ("global_tok", "local_tok"))
    loss = contrast_across_images(whole, local, torch.from_numpy(ref["cls_label"]), ref["margin"])
    loss.backward()
    np.testing.assert_allclose(loss.item(), ref["loss"], rtol=1e-5)
    for tokens, expected in ((whole, ref["grad_global"]), (local, ref["grad_local"])):
        np.testing.assert_allclose(tokens.grad, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@vectors("locbe/sc_loss")
def test_sc_loss(ref: dict[str, Any]) -> None:
    features = torch.from_numpy(ref["fmap"]).requires_grad_()
    loss = token_contrast(features, torch.from_numpy(ref["labels"]).to(torch.uint8))
    loss.backward()
    np.testing.assert_allclose(loss.item(), ref["loss"], rtol=1e-5)
    np.testing.assert_allclose(features.grad, ref["grad_fmap"], rtol=1e-5, atol=1e-5 * np.abs(ref["grad_fmap"]).max())


@vectors("locbe/attn_aux")
def test_attention_affinity(ref: dict[str, Any]) -> None:
    labels = torch.from_numpy(ref["label"]).to(torch.uint8)[:, ::16, ::16]  # what nearest resizing keeps
    assert labels.flatten(1).shape[1] == ref["ref_label"].shape[1]
    loss = attention_affinity(torch.from_numpy(ref["attn"]), labels)
    np.testing.assert_allclose(loss.item(), ref["loss"], rtol=1e-5)


def test_one_image_has_a_loss_and_a_gradient() -> None:
    """The released code fails with a batch of one."""
    whole = torch.randn(1, 6, requires_grad=True)
    for local in (whole.detach().clone(), torch.randn(1, 6)):  # also where both are the same
        loss = contrast_across_images(whole, local, torch.tensor([[1.0, 0.0]]))
        d = (whole - local + 1e-6).abs()
        torch.testing.assert_close(loss, (d**2 / 2 + (1 - d).clamp(min=0) ** 2 / 2).mean())
        (gradient,) = torch.autograd.grad(loss, whole)
        assert gradient.isfinite().all()


def test_per_image_draws_windows_to_their_own_image() -> None:
    torch.manual_seed(0)
    whole = 5 * torch.randn(3, 8)
    whole.requires_grad_()
    right, wrong = (whole.detach()[order] + 0.1 for order in ([0, 1, 2], [1, 2, 0]))
    assert contrast_per_image(whole, right) < contrast_per_image(whole, wrong)
    assert contrast_per_image(whole, whole.detach()) < 1e-10
    local = wrong.requires_grad_()
    contrast_per_image(whole, local).backward()
    assert whole.grad is None and local.grad is not None  # the images' tokens stay
    descent = local.detach() - 0.1 * local.grad
    assert (descent - whole).norm() < (local - whole).norm()


def test_per_image_pushes_others_apart_up_to_the_margin() -> None:
    whole = torch.zeros(2, 4)
    near, far = (torch.full((2, 4), x) for x in (0.1, 10.0))
    expected = (2 * 0.2**2 + 2 * 0.8**2) / 4
    torch.testing.assert_close(contrast_per_image(whole, near), torch.tensor(expected), rtol=1e-4, atol=0)
    torch.testing.assert_close(contrast_per_image(whole, far), torch.tensor(20.0**2 / 2))  # others are far enough
