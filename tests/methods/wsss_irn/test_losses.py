"""IRN's losses against the released code: values, gradients, pair kinds; ignored batches; several ranks."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_cli.data.label_format import label_format
from wsss_irn.losses import BACKGROUND, FOREGROUND, NEGATIVE, PairLabels, add_by_bins, add_by_key, irn_losses
from wsss_irn.paths import Sources, affinity, directions

NAMES = {
    "background": "bg_pos_aff_loss",
    "foreground": "fg_pos_aff_loss",
    "positive": "pos_aff_loss",
    "negative": "neg_aff_loss",
    "displacement_foreground": "dp_fg_loss",
    "displacement_background": "dp_bg_loss",
    "total": "total",
}


@vectors("beco/irn_affinity_loss")
def test_losses_are_the_released_ones(ref: dict[str, Any]) -> None:
    edge, field = (torch.from_numpy(ref[k]).requires_grad_() for k in ("edge_logits", "disp"))
    losses = irn_losses(edge, field, torch.from_numpy(ref["label"]), ref["radius"])
    for ours, theirs in NAMES.items():
        np.testing.assert_allclose(getattr(losses, ours).item(), ref[theirs], rtol=0, atol=1e-5)
    losses.total.backward()
    assert edge.grad is not None and field.grad is not None
    np.testing.assert_allclose(edge.grad.numpy(), ref["grad_edge"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(field.grad.numpy(), ref["grad_disp"], rtol=0, atol=1e-5)


@vectors("beco/irn_affinity_loss")
def test_pairs_are_the_released_ones(ref: dict[str, Any]) -> None:
    radius, labels, field = ref["radius"], torch.from_numpy(ref["label"]), torch.from_numpy(ref["disp"])
    sources, chosen = Sources(radius, *labels.shape[1:]), directions(radius)
    pairs = PairLabels(labels, sources)
    kinds = torch.stack([sources.crop(pairs.kind(*d)).flatten(1) for d in chosen], 1)  # (B, D, sources)
    for kind, name in ((BACKGROUND, "bg_pos"), (FOREGROUND, "fg_pos"), (NEGATIVE, "neg")):
        np.testing.assert_array_equal(kinds == kind, ref[name])
    edge = torch.from_numpy(ref["edge_logits"])[:, 0].sigmoid()
    np.testing.assert_allclose(affinity(edge, radius).flatten(2)[:, ::4], ref["aff"], rtol=0, atol=1e-5)
    flat = sources.flatten(field)
    moved = [sources.shifted(flat) - sources.shifted(flat, *d) for d in chosen[::8]]
    ours = torch.stack([sources.crop(m).flatten(2) for m in moved], 2)  # (B, 2, D / 8, sources)
    np.testing.assert_allclose(ours, ref["pair_disp"], rtol=0, atol=1e-5)


def test_terms_sum_to_the_total() -> None:
    losses = irn_losses(*_batch(2), radius=4)
    torch.testing.assert_close(sum(losses.terms().values()), losses.total)


def test_gradients_are_the_derivatives() -> None:
    edge, field, labels = _batch(1)

    def some_sum(edge: Tensor, field: Tensor) -> Tensor:
        losses = irn_losses(edge.float(), field.float(), labels, radius=4)
        return sum((i + 1) * term for i, term in enumerate(vars(losses).values()))

    edge.requires_grad_(), field.requires_grad_()
    for which in (0, 1):
        grad = torch.autograd.grad(some_sum(edge, field), (edge, field)[which])[0]
        direction = torch.randn_like(grad) * grad.abs().gt(0)
        step = [1e-3 * direction if i == which else torch.zeros_like(x) for i, x in enumerate((edge, field))]
        with torch.no_grad():
            rise = some_sum(edge + step[0], field + step[1]) - some_sum(edge - step[0], field - step[1])
        torch.testing.assert_close(rise / 2e-3, (grad * direction).sum(), rtol=0.03, atol=0.03)


def test_all_ignored_gives_zero_with_gradients() -> None:
    edge, field, labels = _batch(2)
    edge.requires_grad_(), field.requires_grad_()
    total = irn_losses(edge, field, torch.full_like(labels, 255), radius=4).total
    total.backward()
    assert total.item() == 0
    assert edge.grad is not None and field.grad is not None
    assert edge.grad.abs().max() == 0 and field.grad.abs().max() == 0


@pytest.mark.parametrize("top", [254, 300])
def test_class_numbers_do_not_matter(top: int) -> None:
    """The highest class of 8 bits, and ids of 16 bits with their own number for ignore."""
    edge, field, labels = _batch(2)
    form = label_format(top)
    moved = torch.where(labels == 2, top, labels).masked_fill(labels == 255, form.ignore)
    ours = irn_losses(edge, field, form.tensor(moved), radius=4)
    torch.testing.assert_close(ours.total, irn_losses(edge, field, labels, radius=4).total)


def test_ranks_average_to_the_whole_batch() -> None:
    edge, field, labels = _batch(4)
    labels[1] = 255  # the ranks hold different numbers of pairs
    whole = irn_losses(edge, field, labels, radius=4).total
    counts: list[Tensor] = []

    def first_pass(count: Tensor) -> Tensor:
        counts.append(count)
        return count

    halves = [(x[:2], x[2:]) for x in (edge, field, labels)]
    for rank in (0, 1):
        irn_losses(*(h[rank] for h in halves), radius=4, reduce=first_pass)
    mean = sum(counts) / 2
    parts = [irn_losses(*(h[rank] for h in halves), radius=4, reduce=lambda _: mean).total for rank in (0, 1)]
    torch.testing.assert_close((parts[0] + parts[1]) / 2, whole)


def test_saturated_edges_stay_finite() -> None:
    edge, field, labels = _batch(1)
    edge = (edge.sign() * 200).requires_grad_()
    total = irn_losses(edge, field, labels, radius=4).total
    total.backward()
    assert edge.grad is not None
    assert total.isfinite() and edge.grad.isfinite().all()


def _batch(b: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    labels = torch.randint(0, 4, (b, 5, 5)).repeat_interleave(3, 1).repeat_interleave(3, 2)  # (b, 15, 15)
    labels[labels == 3] = 255
    return torch.randn(b, 1, 15, 15), 3 * torch.randn(b, 2, 15, 15), labels


@pytest.mark.parametrize("add", [add_by_bins, add_by_key])
def test_both_ways_of_counting_give_whole_numbers(add: Any) -> None:
    counts = torch.tensor([5, 0, 0, 2**40])
    add(counts, torch.tensor([3, 0, 3, 1], dtype=torch.int32))
    assert counts.tolist() == [6, 1, 0, 2**40 + 2]
