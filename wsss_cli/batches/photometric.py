"""The photometric distortion of SSD's and mmseg's training  [Liu et al. 2016, sec. 2.2; mmseg]."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from wsss_cli.batches.hsv import from_hsv, to_hsv

BRIGHTNESS = 32.0
FACTOR = (0.5, 1.5)
HUE = 18  # of OpenCV's 180


def distorted(image: Tensor, rng: random.Random) -> Tensor:
    """Each with probability 1/2: brightness, contrast, saturation, hue; contrast before or after the last two.

    image (H, W, 3) uint8 RGB.  Returns the same; every step cuts off to bytes, as released.
    """
    x = image.permute(2, 0, 1)[None].float()  # (1, 3, H, W)
    if rng.random() < 0.5:
        x = bytes_of(x + rng.uniform(-BRIGHTNESS, BRIGHTNESS))
    first = rng.random() < 0.5
    if first:
        x = _contrast(x, rng)
    x = _colours(x, rng)
    if not first:
        x = _contrast(x, rng)
    return x[0].permute(1, 2, 0).byte().contiguous()


def _contrast(x: Tensor, rng: random.Random) -> Tensor:
    return bytes_of(x * rng.uniform(*FACTOR)) if rng.random() < 0.5 else x


def _colours(x: Tensor, rng: random.Random) -> Tensor:
    """Saturation times a factor, and a shift of the hue; back to RGB in between, as released."""
    if rng.random() < 0.5:
        h, s, v = to_hsv(x)
        x = from_hsv(h, bytes_of(s * rng.uniform(*FACTOR)), v)
    if rng.random() < 0.5:
        h, s, v = to_hsv(x)
        x = from_hsv((h + rng.randint(-HUE, HUE)) % 180, s, v)
    return x


def bytes_of(x: Tensor) -> Tensor:
    """Clipped to 0..255 and cut off to whole numbers."""
    return torch.clamp(x, 0, 255).trunc_()
