"""Cross-entropy on label maps."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of

Reduce = Callable[[Tensor], Tensor]
"""Of a denominator, over ranks. DDP averages gradients, so the mean over ranks gives the loss of the whole batch."""


def cross_entropy(
    logits: Tensor, labels: Tensor, reduce: Reduce = lambda count: count, count_ignored: bool = False
) -> Tensor:
    """The mean of -log softmax(logits)[label] over the labelled pixels of the batch.

    `count_ignored`: over all pixels, those ignored with 0, as mmseg 0.x has it.

    logits (B, K, h, w), enlarged to the labels bilinearly, align_corners False; labels (B, H, W) ids and ignore.
    Returns a scalar; 0 with gradients where every pixel is ignored.
    """
    logits, ignore = upsample(logits.float(), labels.shape[-2:]), format_of(labels).ignore
    total = F.cross_entropy(logits, labels.long(), ignore_index=ignore, reduction="sum")
    if count_ignored:
        return total / labels.numel()
    count = reduce((labels != ignore).sum().float())
    return total / count.clamp(min=1)


def sigmoid_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over all pixels and classes of -log sigmoid(+-logit), each class against the rest.

    Ignored pixels count as 0 in the mean.  [mmseg: CrossEntropyLoss(use_sigmoid=True), with which Fast-SCNN is trained]

    logits (B, K, h, w), enlarged to the labels bilinearly, align_corners False; labels (B, H, W) ids and ignore.
    """
    logits, known = upsample(logits.float(), labels.shape[-2:]), labels != format_of(labels).ignore
    wanted = F.one_hot(labels.long() * known, logits.shape[1]).movedim(-1, 1).to(logits.dtype)  # (B, K, H, W)
    return (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * known[:, None]).mean()


def upsample(logits: Tensor, size: tuple[int, ...]) -> Tensor:
    """(B, K, h, w) -> (B, K, H, W), bilinear, align_corners False; as they are where the size is the same."""
    if tuple(logits.shape[-2:]) == tuple(size):
        return logits
    return F.interpolate(logits, size=tuple(size), mode="bilinear", align_corners=False)
