"""DeepLab's MSC: one network sees the image at several scales; the largest logit counts [Chen et al. 2017, 4.3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.cam.online import floor_size
from wsss_cli.nets.heads.outputs import Map, Outputs

MSC_SCALES = (0.5, 0.75)
"""What DeepLabV2 sees beside the image itself."""


class MultiScale(nn.Module):
    """A network and its smaller views: images (B, 3, H, W) -> logits (B, K, h, w), each the largest over the scales.

    With `outputs` True (for training): the largest as "main", each scale's logits at their own size as "scale_...", and
    what else the network learns by from the image itself.
    """

    def __init__(self, net: nn.Module, scales: Sequence[float] = MSC_SCALES) -> None:
        super().__init__()
        self.net = net
        self.scales = tuple(scales)

    def forward(self, images: Tensor, outputs: bool = False) -> Tensor | Outputs:
        others = at_scales(self.net, images, self.scales)
        if not outputs:
            return largest_logits(self.net(images), others)
        found: Outputs = self.net(images, outputs=True)
        first = found.pop("main")
        scales = {f"scale_{s:g}": Map(x) for s, x in zip(self.scales, others)}
        return {"main": Map(largest_logits(first.logits, others)), "scale_1": first, **scales, **found}


def at_scales(net: Callable[[Tensor], Tensor], images: Tensor, scales: Sequence[float]) -> list[Tensor]:
    """The logits of the resized images, each at the size that it comes in."""
    return [net(by_factor(images, s)) for s in scales]


def by_factor(images: Tensor, scale: float) -> Tensor:
    """Images (B, 3, H, W) resized bilinearly, their sizes cut off, at least 1; align_corners False."""
    if min(images.shape[2:]) * scale < 1:  # torch would leave no pixel
        return F.interpolate(images, floor_size(images.shape[2:], scale), mode="bilinear", align_corners=False)
    # the factor itself, not one recomputed from whole pixels: the two differ by up to a few units of the logits
    return F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=False)


def largest_logits(first: Tensor, others: Sequence[Tensor]) -> Tensor:
    """max over first (B, K, h, w) and the others, enlarged to its size bilinearly, align_corners False."""
    grown = [F.interpolate(x, first.shape[2:], mode="bilinear", align_corners=False) for x in others]
    return torch.stack([first, *grown]).amax(0)
