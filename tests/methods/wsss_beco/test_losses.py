"""The co-training loss and its gradients against the released expression."""

from typing import Any

import torch

from reference_vectors import vectors
from wsss_beco.losses import co_training_losses


@vectors("beco/loss")
def test_loss_is_the_released_one(ref: dict[str, Any]) -> None:
    l1, l2 = (torch.from_numpy(ref[f"logits{i}"]).requires_grad_() for i in (1, 2))
    labels, masks, band = (torch.from_numpy(ref[name]) for name in ("labels", "masks", "bdry"))
    losses = co_training_losses(l1, l2, labels, masks, band, ref["whb"], ref["wlb"])
    for name, value in losses.items():
        torch.testing.assert_close(value.item(), ref[f"loss_{name}"], rtol=0, atol=1e-5)
    total = torch.stack(list(losses.values())).sum()
    torch.testing.assert_close(total.item(), ref["total"], rtol=0, atol=1e-5)
    total.backward()
    for logits, name in ((l1, "grad_logits1"), (l2, "grad_logits2")):
        assert logits.grad is not None
        torch.testing.assert_close(logits.grad, torch.from_numpy(ref[name]), rtol=0, atol=1e-6)


def test_nothing_labelled_is_no_loss_but_what_the_other_sees() -> None:
    logits = torch.randn(2, 2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    ignored, sure, none = torch.full((2, 5, 5), 255), torch.ones(2, 5, 5), torch.zeros(2, 5, 5)
    losses = co_training_losses(*logits, ignored, sure, none)
    assert all(value == 0 for value in losses.values())
    losses = co_training_losses(*logits, ignored, none, none)
    assert losses["ce1"] == 0 and losses["cot1"] > 0 and losses["cot2"] > 0
