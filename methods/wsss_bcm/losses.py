"""BCM's losses: every output learns the labels, the masks learn the boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from wsss_bcm.labels import box_target
from wsss_cli.losses.segmentation import Reduce, cross_entropy


def segmentation_losses(
    logits: Sequence[Tensor], labels: Sequence[Tensor], reduce: Reduce = lambda count: count
) -> dict[str, Tensor]:
    """The cross-entropy of each output with the labels at its own size, by name: image, one per scale, max.

    logits (B, K, h, w) each, labels (B, h, w) each.  0 where every pixel is ignored, at which the released code is NaN.
    """
    names = ["ce_image", *(f"ce_scale{i}" for i in range(1, len(logits) - 1)), "ce_max"]
    return {n: cross_entropy(x, y, reduce) for n, x, y in zip(names, logits, labels, strict=True)}


def mask_loss(mask: Tensor, boxes: Tensor, weight: float = 0.1) -> Tensor:
    """weight * mean over batch, classes and pixels of (mask - T)^2.  [Song et al. 2019, released code]

    mask (B, K, h, w) in [0, 1]; boxes (B, h, w) painted box map.
    """
    return weight * F.mse_loss(mask.float(), box_target(boxes, mask.shape[1]))
