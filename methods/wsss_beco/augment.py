"""BECO's strong colour augmentation, batched, with the results of the released code's OpenCV operations.

Images are (B, 3, H, W) float32 that hold whole numbers 0..255, whose products and sums here float32 holds exactly.
The released code hands its images over with red and blue exchanged; so do we, or grey and the rounding would differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_beco.config import Strong
from wsss_cli.batches.hsv import from_hsv, to_hsv
from wsss_cli.batches.transforms import MEAN, STD, per_channel


class Jitter(NamedTuple):
    """What happens to one sample: numbers; or to each of a batch: tensors (B,)."""

    colour: Any  # whether contrast to value are applied
    contrast: Any  # factor
    brightness: Any  # shift, share of 255
    hue: Any
    saturation: Any
    value: Any
    grey: Any  # whether
    blur: Any  # 0, or the size of the kernel


def draw_jitter(generator: torch.Generator, strong: Strong) -> Jitter:
    """One sample's draws."""
    u = torch.rand(9, generator=generator, dtype=torch.float64).tolist()
    shift = [2 * x - 1 for x in u]  # U(-1, 1)
    return Jitter(
        colour=u[0] < strong.colour,
        contrast=1 + strong.contrast * shift[1],
        brightness=strong.brightness * shift[2],
        hue=strong.hue * shift[3],
        saturation=strong.saturation * shift[4],
        value=strong.value * shift[5],
        grey=u[6] < strong.grey,
        blur=(3 if u[8] < 1 / 3 else 5) if u[7] < strong.blur else 0,
    )


def strong_augment(images: Tensor, jitter: Jitter) -> Tensor:
    """Colours, grey and blur of each sample as drawn: normalised images (B, 3, H, W) -> the same.

    jitter: (B,) each, on the CPU, so that the device is never asked which samples an operation is for.  On a CPU the
    images go one by one, each of which its cache holds.
    """
    size = 1 if images.device.type == "cpu" else len(images)
    drawn = (Jitter(*parts) for parts in zip(*(torch.as_tensor(values).split(size) for values in jitter)))
    return torch.cat([_augment(part, one) for part, one in zip(images.split(size), drawn)])


def _augment(images: Tensor, jitter: Jitter) -> Tensor:
    def colours(x: Tensor, rows: Tensor) -> Tensor:
        drawn = (values[rows].to(x.device, torch.float32, non_blocking=True) for values in jitter[1:6])
        contrast, brightness, *shifts = drawn
        return hue_saturation_value(brightness_contrast(x, contrast, brightness), *shifts)

    x = _some(to_bytes(images), jitter.colour, colours)
    x = _some(x, jitter.grey, lambda x, _: grey(x))
    x = _some(x, jitter.blur == 3, lambda x, _: blur(x, 3))
    x = _some(x, jitter.blur == 5, lambda x, _: blur(x, 5))
    return from_bytes(x)


def _some(x: Tensor, flags: Tensor, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The function of the flagged samples and of their numbers, in place of these."""
    rows = flags.nonzero()[:, 0]
    if len(rows) == len(x):
        return function(x, rows)
    if len(rows):
        there = rows.to(x.device, non_blocking=True)
        x[there] = function(x[there], rows)
    return x


def to_bytes(images: Tensor) -> Tensor:
    """Normalised images -> 0..255, red and blue exchanged; cut off, not rounded, so that many lose one level."""
    mean, std = (per_channel(v, images.device).flip(0) for v in (MEAN, STD))
    return images.flip(1).mul_(std).add_(mean).mul_(255).trunc_()


def from_bytes(x: Tensor) -> Tensor:
    """The inverse of `to_bytes`."""
    mean, std = (per_channel(v, x.device) for v in (MEAN, STD))
    return x.flip(1).div_(255).sub_(mean).div_(std)


def brightness_contrast(x: Tensor, contrast: Tensor, brightness: Tensor) -> Tensor:
    """clip(contrast x + 255 brightness), cut off; contrast, brightness (B,)."""
    contrast, brightness = contrast.view(-1, 1, 1, 1), brightness.view(-1, 1, 1, 1)
    return x.mul(contrast).add_(brightness * 255).clamp_(0, 255).trunc_()


def hue_saturation_value(x: Tensor, hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Shifts (B,) of OpenCV's hue (0..179, cyclic), saturation and value (0..255), cut off."""
    h, s, v = to_hsv(x)
    h.add_(hue.view(-1, 1, 1))
    h.sub_(h.div(180).floor_().mul_(180)).trunc_()
    s.add_(saturation.view(-1, 1, 1)).clamp_(0, 255).trunc_()
    v.add_(value.view(-1, 1, 1)).clamp_(0, 255).trunc_()
    return from_hsv(h, s, v)


def grey(x: Tensor) -> Tensor:
    """0.299, 0.587, 0.114 of the three channels in 14 bits, rounded, in all three."""
    r, g, b = x.unbind(1)
    y = r.mul(4899).add_(g, alpha=9617).add_(b, alpha=1868).add_(1 << 13).div_(1 << 14).floor_()
    return y[:, None].expand_as(x)


def blur(x: Tensor, size: int) -> Tensor:
    """Gaussian of 3 x 3 (1 2 1) or 5 x 5 (1 4 6 4 1) pixels, rounded, halves up; borders mirrored without the edge."""
    passes = size // 2
    y = F.pad(x, (passes,) * 4, mode="reflect")
    for _ in range(passes):  # 1 2 1 twice is 1 4 6 4 1
        y = _one_two_one(_one_two_one(y, 2), 3)
    total = 16**passes
    return y.add_(total // 2).div_(total).floor_()


def _one_two_one(x: Tensor, dim: int) -> Tensor:
    n = x.shape[dim] - 2
    return x.narrow(dim, 1, n).mul(2).add_(x.narrow(dim, 0, n)).add_(x.narrow(dim, 2, n))
