"""PSPNet: pyramid pooling [Zhao et al. 2017]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule, PyramidPooling


class Psp(ConvSegHead):
    """The last map beside its means over 1, 4, 9 and 36 cells -> logits (B, K, h, w) at its stride."""

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
        self.psp_modules = PyramidPooling(channels[-1], width, pool_scales)
        self.bottleneck = ConvModule(channels[-1] + len(pool_scales) * width, width, 3)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = levels[-1]
        return self.bottleneck(torch.cat([x, *self.psp_modules(x)], 1))
