"""BECO's co-training loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import label_format


def co_training_losses(
    logits1: Tensor,
    logits2: Tensor,
    labels: Tensor,
    masks: Tensor,
    band: Tensor,
    weight: float = 0.2,
    weight_unsure: float = 0.0,
) -> dict[str, Tensor]:
    """Cross-entropy with the labels where they are trusted, and with the other network's classes elsewhere.

    ce_1 = mean(CE(l1, y) m (1 + w b)), cot_1 = mean(CE(l1, argmax l2) (1 - m) (1 + w' b)); ce_2, cot_2 alike; means
    over all pixels.  [Rong et al. 2023, released code; w = 0.2, w' = 0]

    logits (B, K, H, W); labels (B, H, W) ids and ignore; masks (B, H, W) 0/1, 1 trusted; band (B, H, W) 0/1, 1 at
    pasted boundaries.  Returns four scalars, whose sum is the loss.
    """
    log1, log2 = logits1.float().log_softmax(1), logits2.float().log_softmax(1)
    masks, band = masks.float(), band.float()
    sure, unsure = masks * (1 + weight * band), (1 - masks) * (1 + weight_unsure * band)
    return {
        "ce1": (_cross_entropy(log1, labels) * sure).mean(),
        "ce2": (_cross_entropy(log2, labels) * sure).mean(),
        "cot1": (_cross_entropy(log1, logits2.argmax(1)) * unsure).mean(),
        "cot2": (_cross_entropy(log2, logits1.argmax(1)) * unsure).mean(),
    }


def _cross_entropy(log_prob: Tensor, labels: Tensor) -> Tensor:
    """-log p of the label of each pixel, 0 where it is ignored: (B, K, H, W), (B, H, W) -> (B, H, W)."""
    ignore = label_format(log_prob.shape[1] - 1).ignore
    return F.nll_loss(log_prob, labels.long(), ignore_index=ignore, reduction="none")
