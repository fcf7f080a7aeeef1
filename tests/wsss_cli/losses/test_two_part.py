"""The two-part cross-entropy against the released code, and where it released NaN."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.losses.two_part import two_part_cross_entropy


def check(logits: Any, labels: Any, expected: float, gradient: Any) -> None:
    x = torch.from_numpy(logits).requires_grad_()
    loss = two_part_cross_entropy(x, torch.from_numpy(labels).to(torch.uint8))
    loss.backward()
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-5)
    np.testing.assert_allclose(x.grad, gradient, rtol=1e-5, atol=1e-8)


@vectors("toco/seg_loss")
def test_loss_of_toco(ref: dict[str, Any]) -> None:
    check(ref["pred"], ref["label"], ref["loss"], ref["grad_pred"])


@vectors("puf/seg_loss")
def test_loss_of_puf(ref: dict[str, Any]) -> None:
    check(ref["logits"], ref["label"], ref["loss"], ref["grad_logits"])


@vectors("puf/seg_loss_nofg")
def test_an_empty_part_is_nothing(ref: dict[str, Any]) -> None:
    """The released loss is NaN, its gradient that of the other part."""
    logits, labels = torch.from_numpy(ref["logits"]), torch.from_numpy(ref["label"]).long()
    known = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert np.isnan(ref["loss"])
    check(ref["logits"], ref["label"], known.item() / 2, ref["grad_logits"])


def test_no_labelled_pixel_gives_zero_and_zero_gradients() -> None:
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss = two_part_cross_entropy(x, torch.full((2, 4, 4), 255, dtype=torch.uint8))
    loss.backward()
    assert loss == 0 and x.grad is not None and not x.grad.any()


def test_the_mean_over_ranks_is_the_loss_of_the_whole_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, 5, 5, generator=generator)
    labels = torch.randint(0, 3, (4, 5, 5), generator=generator).to(torch.uint8)
    labels[:2][labels[:2] == 0] = 255  # the first rank has no background
    counts = torch.stack([(labels == 0).sum(), ((labels > 0) & (labels < 255)).sum()]) / 2
    shares = [two_part_cross_entropy(logits[i : i + 2], labels[i : i + 2], lambda _: counts) for i in (0, 2)]
    torch.testing.assert_close(torch.stack(shares).mean(), two_part_cross_entropy(logits, labels))
