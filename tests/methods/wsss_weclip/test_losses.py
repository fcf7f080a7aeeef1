"""Shares of ranks make the whole: counts and sums of the whole batch reach every rank."""

import torch
from torch import Tensor

from wsss_weclip.affinity import affinity_loss
from wsss_weclip.losses import dice_loss


def whole_means(parts: list[Tensor]) -> Tensor:
    """What mean_over_ranks would give each of the ranks."""
    return torch.stack(parts).mean(0)


def test_dice_of_two_ranks_is_that_of_the_batch() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 5, 6, 7), torch.randint(0, 5, (4, 6, 7), dtype=torch.uint8)
    labels[0, :3] = 255
    one = logits.clone().requires_grad_()
    whole = dice_loss(one, labels)
    whole.backward()
    two = logits.clone().requires_grad_()
    sums: list[list[Tensor]] = [[], []]  # of each half, as each sum is asked for
    for half in (0, 1):
        dice_loss(
            logits[2 * half : 2 * half + 2],
            labels[2 * half : 2 * half + 2],
            lambda x, h=half: (sums[h].append(x), x)[1],
        )
    for half in (0, 1):
        asked = iter(zip(*sums))
        rows = slice(2 * half, 2 * half + 2)
        loss = dice_loss(two[rows], labels[rows], lambda x, a=asked: whole_means(list(next(a))), 2)
        torch.testing.assert_close(loss, whole)
        (loss / 2).backward()  # DDP averages
    torch.testing.assert_close(two.grad, one.grad)


def test_affinity_of_two_ranks_is_that_of_the_batch() -> None:
    torch.manual_seed(0)
    predicted, labels = torch.rand(2, 12, 12), torch.randint(0, 3, (2, 6, 8), dtype=torch.uint8)
    whole = affinity_loss(predicted, labels, (3, 4), 2)
    counts: list[Tensor] = []
    for i in (0, 1):
        affinity_loss(predicted[i : i + 1], labels[i : i + 1], (3, 4), 2, lambda x: (counts.append(x), x)[1])
    shares = [
        affinity_loss(predicted[i : i + 1], labels[i : i + 1], (3, 4), 2, lambda x: whole_means(counts), 2)
        for i in (0, 1)
    ]
    torch.testing.assert_close(torch.stack(shares).mean(), whole)
