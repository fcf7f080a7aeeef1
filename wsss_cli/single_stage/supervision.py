"""What a network's own CAMs teach it: pseudo-labels, and the losses of the segmentation that learns from them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from wsss_cli.batches.transforms import as_bytes, denormalise
from wsss_cli.cam.regions import cam_labels
from wsss_cli.losses.dense_energy import dense_energy_loss
from wsss_cli.losses.segmentation import Reduce, upsample
from wsss_cli.losses.two_part import two_part_cross_entropy
from wsss_cli.refine.dual import refined_labels
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage.config import Energy, Thresholds


def pseudo_labels(
    images: Tensor, cams: Tensor, tags: Tensor, boxes: Tensor | None, thresholds: Thresholds, settings: Par
) -> Tensor:
    """CAMs (B, C, H, W) of normalised images (B, 3, H, W), refined: (B, H, W) ids and ignore."""
    return refined_labels(as_bytes(images), cams, tags, boxes, thresholds.high, thresholds.low, settings)


def token_labels(cams: Tensor, size: tuple[int, int], thresholds: Thresholds, boxes: Tensor | None = None) -> Tensor:
    """Which class each patch token surely belongs to: CAMs (B, C, H, W) -> (B, h, w) ids and ignore.

    boxes (B, 4) y0, y1, x0, x1, in tokens.
    """
    small = F.interpolate(cams, size, mode="bilinear", align_corners=False)
    return cam_labels(small, thresholds.low, thresholds.high, boxes)


def segmentation_losses(
    images: Tensor, logits: Tensor, labels: Tensor, boxes: Tensor | None, energy: Energy, reduce: Reduce
) -> tuple[Tensor, Tensor]:
    """The two-part cross-entropy and the dense energy, both of the logits enlarged to the labels' size.

    images (B, 3, H, W) normalised; logits (B, K, h, w); labels (B, H, W) ids and ignore; boxes (B, 4) y0, y1, x0, x1.
    An energy of weight 0 is not computed.
    """
    large = upsample(logits.float(), labels.shape[1:])  # (B, K, H, W)
    cross_entropy = two_part_cross_entropy(large, labels, reduce)
    if not energy.weight:
        return cross_entropy, cross_entropy.new_zeros(())
    sizes = energy.weight, energy.sigma_rgb, energy.sigma_xy, energy.scale
    return cross_entropy, dense_energy_loss(denormalise(images), large, labels, boxes, *sizes)
