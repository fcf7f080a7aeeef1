"""UPerNet: a feature pyramid below pyramid pooling [Xiao et al. 2018]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule, PyramidPooling, enlarge


class UPer(ConvSegHead):
    """The last four maps, fine to coarse -> logits (B, K, h, w) at the stride of the first of them."""

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        pool_scales: Sequence[int] = (1, 2, 3, 6),
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        *lower, last = channels[-4:]
        self.psp_modules = PyramidPooling(last, width, pool_scales)
        self.bottleneck = ConvModule(last + len(pool_scales) * width, width, 3)
        self.lateral_convs = nn.ModuleList(ConvModule(c, width) for c in lower)
        self.fpn_convs = nn.ModuleList(ConvModule(width, width, 3) for _ in lower)
        self.fpn_bottleneck = ConvModule((len(lower) + 1) * width, width, 3)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        *lower, last = levels[-4:]
        top = self.bottleneck(torch.cat([last, *self.psp_modules(last)], 1))  # (B, width, h, w), the coarsest
        summed = [top]
        for lateral, x in zip(reversed(self.lateral_convs), reversed(lower)):
            side = lateral(x)
            summed.insert(0, side + enlarge(summed[0], side))
        maps = [conv(x) for conv, x in zip(self.fpn_convs, summed)] + [top]  # each (B, width, h_i, w_i)
        return self.fpn_bottleneck(torch.cat([enlarge(x, maps[0]) for x in maps], 1))
