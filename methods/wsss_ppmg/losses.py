"""SEAM's losses: classification, equivariance between two scales, equivariant cross regularisation.

[Wang, Zhang, Kan, Shan, Chen, CVPR 2020; released code]
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5


def seam_losses(cam1: Tensor, revised1: Tensor, cam2: Tensor, revised2: Tensor, tags: Tensor) -> dict[str, Tensor]:
    """The terms of the loss, whose sum is minimised.

    cls     mean over both scales of the multi-label soft margin of the maps' means
    rvmin   mean over both scales of `least_quarter` of the revised maps of the classes present
    er      mean |n(cam1) - n(cam2)| of the classes, n: `normalised`, at the smaller scale, classes present only
    ecr     the hardest fifth of |one-hot max of one scale's cam - revised maps of the other|, both ways

    cam1, revised1 (B, K, H, W), cam2, revised2 (B, K, h, w), background first; tags (B, C) multi-hot.
    Returns scalars.
    """
    present = F.pad(tags, (1, 0), value=1.0)[:, :, None, None]  # (B, K, 1, 1)
    size = cam2.shape[2:]
    small1, small_revised1 = (_resized(normalised(x), size) * present for x in (cam1, revised1))  # (B, K, h, w)
    small2, small_revised2 = (normalised(x) * present for x in (cam2, revised2))
    return {
        "cls": (classification(cam1, tags) + classification(cam2, tags)) / 2,
        "rvmin": (least_quarter(revised1 * present) + least_quarter(revised2 * present)) / 2,
        "er": (small1[:, 1:] - small2[:, 1:]).abs().mean(),
        "ecr": hardest_fifth(one_hot_max(small2), small_revised1) + hardest_fifth(one_hot_max(small1), small_revised2),
    }


def classification(cam: Tensor, tags: Tensor) -> Tensor:
    """Multi-label soft margin of the maps' means: cam (B, K, H, W), tags (B, C) -> scalar."""
    return F.multilabel_soft_margin_loss(cam[:, 1:].mean((2, 3)), tags)


def least_quarter(maps: Tensor) -> Tensor:
    """The mean of the lowest quarter of the pixels' highest class, relu'd: some of an image is background.

    maps (B, K, H, W), background first, which does not count.  Returns a scalar.
    """
    highest = maps[:, 1:].max(1).values.flatten(1)  # (B, H W)
    k = highest.shape[1] // 4
    return highest.topk(k, dim=1, largest=False).values.relu().sum() / (k * len(maps))


def normalised(maps: Tensor) -> Tensor:
    """relu(relu(m) - min - eps) / (max - min + eps), each map by itself: (B, K, H, W) -> the same."""
    m = maps.relu()
    flat = m.flatten(2)
    highest, lowest = (v[:, :, None, None] for v in (flat.max(2).values, flat.min(2).values))  # (B, K, 1, 1)
    return F.relu(m - lowest - EPS) / (highest - lowest + EPS)


def one_hot_max(maps: Tensor) -> Tensor:
    """The target of the other scale: of the classes only the highest at each pixel, and 1 - it as background.

    maps (B, K, h, w), whose first map does not count.  Returns the same shape, without gradient.
    """
    classes = maps[:, 1:].detach()
    highest = classes.amax(1, keepdim=True)
    return torch.cat([1 - highest, classes.masked_fill(classes != highest, 0)], 1)


def hardest_fifth(target: Tensor, maps: Tensor) -> Tensor:
    """The mean of the largest int(0.2 K h w) of |target - maps| in each image: (B, K, h, w) each -> scalar."""
    apart = (target - maps).abs().flatten(1)  # (B, K h w)
    return apart.topk(int(apart.shape[1] * 0.2), dim=1).values.mean()


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
