"""Large images through a network window by window."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Net = Callable[[Tensor], Tensor]

AT_ONCE = 8  # windows per forward pass, of all images together


def windowed(net: Net, window: int | None, stride: int | None = None) -> Net:
    """The network that sees at most window x window pixels at once; as it is without a window.

    Windows lie `stride` apart (None: a window), the last of a row moved back into the image; where they overlap their
    logits are averaged.  A shorter side is seen whole.  [mmseg, slide inference]
    The result maps (B, 3, H, W) to logits (B, K, H, W).
    """
    if window is None:
        return net
    return lambda images: slide(net, images, window, stride or window)


def slide(net: Net, images: Tensor, window: int, stride: int) -> Tensor:
    """The mean of the windows' logits, each enlarged to its window: (B, 3, H, W) -> (B, K, H, W)."""
    height, width = images.shape[2:]
    h, w = min(window, height), min(window, width)
    corners = [(y, x) for y in starts(height, window, stride) for x in starts(width, window, stride)]
    total, count = images.new_zeros(()), images.new_zeros(height, width)
    per_pass = max(1, AT_ONCE // len(images))
    for first in range(0, len(corners), per_pass):
        some = corners[first : first + per_pass]
        seen = torch.cat([images[:, :, y : y + h, x : x + w] for y, x in some])  # (n B, 3, h, w)
        logits = F.interpolate(net(seen).float(), (h, w), mode="bilinear", align_corners=False)
        if not total.dim():
            total = logits.new_zeros(len(images), logits.shape[1], height, width)
        for (y, x), part in zip(some, logits.split(len(images))):
            total[:, :, y : y + h, x : x + w] += part
            count[y : y + h, x : x + w] += 1
    return total / count


def starts(length: int, window: int, stride: int) -> list[int]:
    """The first pixels of the windows along a side."""
    n = max(length - window + stride - 1, 0) // stride + 1
    return [max(0, min(i * stride, length - window)) for i in range(n)]
