"""FCN: convolutions and a classifier [Long et al. 2015], as mmseg builds it; also its auxiliary heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.zoo.bricks import ConvModule, ConvSegHead


class Fcn(ConvSegHead):
    """A feature map -> logits (B, K, h, w) at its stride, through `num_convs` convolutions.

    concat  a last one sees the map beside their result
    level   which map; -1 the last
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        num_convs: int = 2,
        kernel: int = 3,
        concat: bool = True,
        dropout: float = 0.1,
        level: int = -1,
    ) -> None:
        start = channels[level]
        super().__init__(width if num_convs else start, num_outputs, dropout)
        self.level, self.concat = level, concat
        self.convs = nn.ModuleList(ConvModule(start if i == 0 else width, width, kernel) for i in range(num_convs))
        if concat:
            self.conv_cat = ConvModule(start + width, width, kernel)

    def attend(self, x: Tensor) -> Tensor:
        """What subclasses do after the first convolution: (B, width, h, w) -> the same shape."""
        return x

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = y = levels[self.level]
        for i, conv in enumerate(self.convs):
            y = conv(y) if i else self.attend(conv(y))
        return self.conv_cat(torch.cat((x, y), 1)) if self.concat else y
