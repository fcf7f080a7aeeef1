"""DeepLab's MSC: one network sees the image at several scales; the largest logit counts [Chen et al. 2017, 4.3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MSC_SCALES = (0.5, 0.75)
"""What DeepLabV2 sees beside the image itself."""


class MultiScale(nn.Module):
    """A network and its smaller views: images (B, 3, H, W) -> logits (B, K, h, w), each the largest over the scales.

    In training it gives what a loss is put on: (logits of the image, of each scale at its own size, the largest).
    """

    def __init__(self, net: nn.Module, scales: Sequence[float] = MSC_SCALES) -> None:
        super().__init__()
        self.net = net
        self.scales = tuple(scales)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        first = self.net(images)
        others = at_scales(self.net, images, self.scales)
        largest = largest_logits(first, others)
        return (first, *others, largest) if self.training else largest


def at_scales(net: Callable[[Tensor], Tensor], images: Tensor, scales: Sequence[float]) -> list[Tensor]:
    """The logits of the resized images, each at the size that it comes in."""
    # the factor itself, not one recomputed from whole pixels: the two differ by up to a few units of the logits
    return [net(F.interpolate(images, scale_factor=s, mode="bilinear", align_corners=False)) for s in scales]


def largest_logits(first: Tensor, others: Sequence[Tensor]) -> Tensor:
    """max over first (B, K, h, w) and the others, enlarged to its size bilinearly, align_corners False."""
    grown = [F.interpolate(x, first.shape[2:], mode="bilinear", align_corners=False) for x in others]
    return torch.stack([first, *grown]).amax(0)
