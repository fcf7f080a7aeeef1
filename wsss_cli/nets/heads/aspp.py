"""DeepLabV3 [Chen et al. 2017b] and DeepLabV3+ [Chen et al. 2018] as mmseg builds them.

Wider than BECO's head of the same name (nets/heads/deeplab.py), joined by a 3x3, with two separable blocks at the end:
another function under other names, so both are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.heads.deeplab import rates
from wsss_cli.nets.layers.bricks import ConvModule, SeparableConvModule, enlarge
from wsss_cli.nets.segmenter import level_of_stride_4


class DeepLabV3(ConvSegHead):
    """The last map through a 1x1, dilated 3x3s and its mean, joined -> logits (B, K, h, w) at its stride.

    aspp_rates  dilations; None: 12, 24, 36 at output stride 8, the same reach in pixels at others
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        aspp_rates: Sequence[int] | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        c, dilations = channels[-1], aspp_rates or rates(strides[-1])
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(c, width))
        self.aspp_modules = nn.ModuleList([ConvModule(c, width), *(self.branch(c, width, d) for d in dilations)])
        self.bottleneck = ConvModule((2 + len(dilations)) * width, width, 3)

    @staticmethod
    def branch(channels: int, width: int, dilation: int) -> nn.Module:
        """A 3x3 with a dilation."""
        return ConvModule(channels, width, 3, dilation=dilation)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = levels[-1]
        mean = enlarge(self.image_pool(x), x)  # (B, width, h, w)
        return self.bottleneck(torch.cat([mean, *(branch(x) for branch in self.aspp_modules)], 1))


class DeepLabV3PlusMmseg(DeepLabV3):
    """DeepLabV3 with separable convolutions, enlarged and joined to a narrow projection of the stride-4 map.

    low_width  of that projection.  Raises WsssError if the backbone has no level of stride 4.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        aspp_rates: Sequence[int] | None = None,
        low_width: int = 48,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, strides, num_outputs, width, aspp_rates, dropout)
        self.low = level_of_stride_4(strides, "deeplabv3plus_mmseg", "a resnet")
        self.c1_bottleneck = ConvModule(channels[self.low], low_width)
        self.sep_bottleneck = nn.Sequential(
            SeparableConvModule(width + low_width, width), SeparableConvModule(width, width)
        )

    @staticmethod
    def branch(channels: int, width: int, dilation: int) -> nn.Module:
        return SeparableConvModule(channels, width, dilation=dilation)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        low = self.c1_bottleneck(levels[self.low])  # (B, low_width, h, w)
        high = enlarge(super().features(levels), low)  # (B, width, h, w)
        return self.sep_bottleneck(torch.cat((high, low), 1))
