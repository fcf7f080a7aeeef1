"""PSANet: each pixel collects from, and distributes to, every other by a learnt mask around it [Zhao et al. 2018]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule


class Psa(ConvSegHead):
    """The last map beside what its pixels collect and distribute -> logits (B, K, h, w) at its stride.

    mask_size  rows and columns of the masks, odd; pixels further away get the score 0
    shrink     how many times smaller the map is on which this happens
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        mask_size: Sequence[int] = (97, 97),
        shrink: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        c, self.mask_size, self.shrink = channels[-1], tuple(mask_size), shrink
        cells = mask_size[0] * mask_size[1]
        self.reduce, self.reduce_p = ConvModule(c, width), ConvModule(c, width)
        self.attention = nn.Sequential(ConvModule(width, width), nn.Conv2d(width, cells, 1, bias=False))
        self.attention_p = nn.Sequential(ConvModule(width, width), nn.Conv2d(width, cells, 1, bias=False))
        self.proj = ConvModule(2 * width, c, padding=1)  # mmseg pads the 1x1: a frame of its bias
        self.bottleneck = ConvModule(2 * c, width, 3)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = levels[-1]
        size, align = shrunk(x.shape[2], x.shape[3], self.shrink)
        collect, distribute = resize(self.reduce(x), size, align), resize(self.reduce_p(x), size, align)
        # a column of the first says what one pixel takes from all others, of the second what all others give it
        to_pixel = self.scores(self.attention, collect).softmax(1)  # (B, h * w, h * w)
        from_pixel = self.scores(self.attention_p, distribute).transpose(1, 2).softmax(1)
        both = torch.cat((collect.flatten(2) @ to_pixel, distribute.flatten(2) @ from_pixel), 1)
        out = resize(self.proj(both.unflatten(2, size)), x.shape[2:], align)
        return self.bottleneck(torch.cat((x, out), 1))

    def scores(self, attention: nn.Sequential, x: Tensor) -> Tensor:
        """S[b, t, p]: the score in the mask of pixel p at the place of pixel t.  (B, c, h, w) -> (B, h * w, h * w).

        Of the mask only the window that a map of this size can reach is computed.
        """
        project, to_masks = attention
        h, w = x.shape[2:]
        rows, cols = window(self.mask_size[0], h), window(self.mask_size[1], w)
        kernel: Any = to_masks.weight  # (cells, c, 1, 1)
        kernel = kernel.unflatten(0, self.mask_size)[rows.start : rows.stop, cols.start : cols.stop].flatten(0, 1)
        masks = F.conv2d(project(x), kernel).flatten(2)  # (B, len(rows) * len(cols), h * w)
        cell, inside = places(h, w, len(rows), len(cols), x.device)
        return masks.gather(1, cell.expand(len(x), -1, -1)) * inside


def window(mask: int, side: int) -> range:
    """The rows of a mask that lie on a map of `side` rows for some pixel of it."""
    half, reach = (mask - 1) // 2, side - 1
    return range(max(0, half - reach), min(mask, half + reach + 1))


def places(h: int, w: int, rows: int, cols: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where pixel t lies in the mask (rows x cols, centred) of pixel p, and whether it does: two (h * w, h * w)."""
    y = torch.arange(h, device=device).repeat_interleave(w)
    x = torch.arange(w, device=device).repeat(h)
    i = y[:, None] - y[None] + (rows - 1) // 2
    j = x[:, None] - x[None] + (cols - 1) // 2
    inside = (i >= 0) & (i < rows) & (j >= 0) & (j < cols)
    return (i * cols + j).masked_fill(~inside, 0), inside


def shrunk(h: int, w: int, factor: int) -> tuple[tuple[int, int], bool]:
    """The size on which attention happens, and align_corners: only where neither side divides are corners kept."""
    if h % factor and w % factor:
        return ((h - 1) // factor + 1, (w - 1) // factor + 1), True
    return (max(1, h // factor), max(1, w // factor)), False


def resize(x: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=align_corners)
