"""The decoder of SegFormer: every level through a linear layer, joined by another [Xie et al. 2021, sec. 3.2]."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.deeplab import conv_bn_relu, kaiming_convs
from wsss_cli.nets.segmenter import Head, level_of_stride_4


class SegFormer(Head):
    """All levels from stride 4 on -> logits (B, K, h, w) at stride 4.

    ReLU(BN(W [up(L_n x_n), ..., up(L_1 x_1)])), coarse to fine, with L_i onto `embed` channels and W onto `width`.
    The paper has embed = width = 768 (256 for B0 and B1); BECO, whose tensor names these are, embeds in 768 and fuses
    into 256.  Nothing but W stands between L_i and the sum, and it commutes with bilinear enlarging; so each level is
    taken through the product W_i L_i where it is small: the same function at a fraction of the arithmetic.

    channels, strides  of the backbone's levels
    Raises WsssError if the backbone has no level of stride 4.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 256,
        embed: int = 768,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.low = level_of_stride_4(strides, "segformer", "mit_b2")
        used = channels[self.low :]
        for i, c in enumerate(used, 1):
            self.add_module(f"linear_c{i}", nn.ModuleDict({"proj": nn.Linear(c, embed)}))
        self.linear_fuse: Any = conv_bn_relu(len(used) * embed, width, 1)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(width, num_outputs, 1)
        kaiming_convs(self)

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        used = levels[self.low :]
        conv, norm, relu = self.linear_fuse
        parts = conv.weight.flatten(1).chunk(len(used), dim=1)  # of W: (width, embed), coarse to fine
        maps = (self._fused(i, x, part, used[0].shape[2:]) for i, (x, part) in enumerate(zip(used, parts[::-1]), 1))
        return self.dropout(relu(norm(reduce(torch.add, maps))))  # (B, width, h, w)

    def _fused(self, i: int, x: Tensor, part: Tensor, size: torch.Size) -> Tensor:
        """up(W_i L_i x): level i (B, C_i, h_i, w_i) -> (B, width, h, w)."""
        linear: Any = self.get_submodule(f"linear_c{i}.proj")
        kernel = part @ linear.weight  # (width, C_i)
        maps = F.conv2d(x, kernel[:, :, None, None], part @ linear.bias)  # (B, width, h_i, w_i)
        return F.interpolate(maps, size, mode="bilinear", align_corners=False)
