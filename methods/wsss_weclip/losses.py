"""The Dice loss that WeCLIP+ adds."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import Reduce

EPS = 1e-7


def dice_loss(logits: Tensor, labels: Tensor, reduce: Reduce = lambda count: count, ranks: int = 1) -> Tensor:
    """1 - mean_k 2 sum p_k t_k / (sum (p_k + t_k) + e), sums over pixels and images.  [WeCLIP+, released code]

    Over all K classes: those that no image has give about 0, so that it stays near 1.

    logits (B, K, H, W); labels (B, H, W) ids and ignore, in their format.
    reduce, ranks  mean_over_ranks and their number: then it is the loss of the whole batch, and the mean over ranks of
    its gradients is that loss's
    """
    known = (labels != format_of(labels).ignore)[:, None]  # (B, 1, H, W)
    prob = logits.float().softmax(1) * known  # (B, K, H, W)
    ids = labels.long()[:, None].where(known, 0)
    target = torch.zeros_like(prob).scatter_(1, ids, known.float())
    both, either = (prob * target).sum((0, 2, 3)), (prob + target).sum((0, 2, 3))  # (K,)
    both, either = (ranks * (reduce(part.detach()) + part - part.detach()) for part in (both, either))
    return 1 - (2 * both / (either + EPS)).mean()
