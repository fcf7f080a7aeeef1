"""The pretended under-fitting loss against the released one, and its gate."""

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_ppmg.config import UnderFitting
from wsss_ppmg.under_fitting import chunk_means, pixel_losses, under_fitting_loss

NAME = re.compile(r"(loss|grad)_(fit|unfit)_(off|clamp|pow|ignore)_b([\d.]+)_k([\d.]+)")


@vectors("ppmg/puf_loss")
def test_losses_and_gradients(ref: dict[str, Any]) -> None:
    labels = torch.tensor(ref["label"]).byte()
    raw = pixel_losses(torch.tensor(ref["logits_fit"]), labels)
    torch.testing.assert_close(raw, torch.tensor(ref["raw_fit"]), rtol=0, atol=1e-5)
    seen = set()
    for name, expected in ref.items():
        if not (found := NAME.fullmatch(name)):
            continue
        what, which, kind, beta, k = found.groups()
        logits = torch.tensor(ref[f"logits_{which}"], requires_grad=True)
        config = UnderFitting(kind=kind, beta=float(beta), k=float(k), gate_chunk=None)
        loss = under_fitting_loss(logits, labels, config)
        loss.backward()
        value = loss if what == "loss" else logits.grad
        torch.testing.assert_close(value.detach(), torch.tensor(expected), rtol=0, atol=1e-5, msg=name)
        seen.add((what, which, kind))
    assert len(seen) >= 13


def images(*means: float) -> tuple[Tensor, Tensor]:
    """Logits of two classes, one image per mean cross-entropy wanted, and labels."""
    margin = torch.tensor(means).exp().sub(1).log()  # log(1 + e^m) = mean
    logits = torch.stack([torch.zeros_like(margin), margin], 1)[:, :, None, None].expand(-1, 2, 3, 3)
    return logits.contiguous(), torch.zeros(len(means), 3, 3, dtype=torch.uint8)


def test_the_gate_looks_at_two_images_at_a_time() -> None:
    logits, labels = images(0.2, 0.7, 1.0, 3.0)
    assert chunk_means(pixel_losses(logits, labels), 2).tolist() == pytest.approx([0.45, 0.45, 2, 2])
    config = UnderFitting()
    assert under_fitting_loss(logits, labels, config).item() == pytest.approx((0.2 + 0.5 + 1 + 3) / 4)
    whole = UnderFitting(gate_chunk=None)
    assert under_fitting_loss(logits, labels, whole).item() == pytest.approx((0.2 + 0.7 + 1 + 3) / 4)
    halves = [under_fitting_loss(x, y, config) for x, y in zip(logits.split(2), labels.split(2))]
    torch.testing.assert_close(torch.stack(halves).mean(), under_fitting_loss(logits, labels, config))  # ranks, passes


def test_suppressed_pixels_have_no_gradient() -> None:
    logits, labels = images(0.1, 0.7)
    logits.requires_grad_()
    under_fitting_loss(logits, labels, UnderFitting()).backward()
    assert logits.grad is not None and logits.grad[0].any() and not logits.grad[1].any()
