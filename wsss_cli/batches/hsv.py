"""Hue, saturation and value of bytes, with the results of OpenCV's conversions to the last bit.

Images are (B, 3, H, W) float32 that hold whole numbers 0..255, whose products and sums here float32 holds exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 32  # pixels that OpenCV converts at once


def to_hsv(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """OpenCV's uint8 conversion, which multiplies by reciprocals rounded to 12 bits: (B, H, W) each."""
    r, g, b = x.unbind(1)
    v = torch.maximum(torch.maximum(r, g), b)
    spread = v - torch.minimum(torch.minimum(r, g), b)
    turn = torch.add(r - g, spread, alpha=4)  # sixths of the circle x spread, where blue is the largest
    turn.lerp_(torch.add(b - r, spread, alpha=2), _equal(v, g)).lerp_(g - b, _equal(v, r))
    h = _fixed(turn, (30 << 12) / spread.clamp(min=1))
    h.add_(h.clamp(-1, 0), alpha=-180)
    return h, _fixed(spread, (255 << 12) / v.clamp(min=1)), v


def _equal(highest: Tensor, channel: Tensor) -> Tensor:
    """1 where they are equal, else 0; as arithmetic on whole numbers much faster than comparisons on a CPU."""
    return highest.sub(channel).clamp_(max=1).neg_().add_(1)


def _fixed(x: Tensor, factor: Tensor) -> Tensor:
    """round(x factor / 2^12), halves up, with the factor rounded first."""
    return factor.round_().mul_(x).add_(1 << 11).div_(1 << 12).floor_()


def from_hsv(h: Tensor, s: Tensor, v: Tensor) -> Tensor:
    """OpenCV's uint8 conversion back: channel = v (1 - s w), w from 0 to 1 and back over the sectors of the hue.

    1 - s w is rounded once (a fused multiply-add). Blocks of 32 pixels are cut off, the rest of a row is rounded.
    (B, H, W) each -> (B, 3, H, W).
    """
    turn = h * (6 / 180)
    s, v = s.mul(1 / 255).double(), v.mul(1 / 255)
    one = s.new_ones(())
    out = v.new_empty(len(v), 3, *v.shape[1:])
    weights = (torch.minimum(turn - 1, 5 - turn), torch.maximum(1 - turn, turn - 3), torch.maximum(3 - turn, turn - 5))
    for channel, weight in zip(out.unbind(1), weights):
        channel.copy_(torch.addcmul(one, s, weight.clamp_(0, 1).double(), value=-1)).mul_(v).mul_(255)
    whole = out.shape[3] // BLOCK * BLOCK
    out[..., :whole].trunc_()
    out[..., whole:].round_()
    return out
