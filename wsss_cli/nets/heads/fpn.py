"""Semantic FPN: a feature pyramid whose levels are enlarged step by step and summed [Kirillov et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule, enlarge


class Fpn(nn.Module):
    """The pyramid [Lin et al. 2017]: maps (B, channels[i], h_i, w_i) -> as many (B, width, h_i, w_i).

    Each level through a 1x1, plus the next coarser one enlarged by repeating pixels, then a 3x3; Xavier uniform.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral_convs = nn.ModuleList(ConvModule(c, width, norm=False, act=None) for c in channels)
        self.fpn_convs = nn.ModuleList(ConvModule(width, width, 3, norm=False, act=None) for _ in channels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        sides = [lateral(x) for lateral, x in zip(self.lateral_convs, levels, strict=True)]
        for i in range(len(sides) - 1, 0, -1):
            sides[i - 1] = sides[i - 1] + F.interpolate(sides[i], sides[i - 1].shape[2:], mode="nearest")
        return [conv(x) for conv, x in zip(self.fpn_convs, sides)]


class FpnHead(ConvSegHead):
    """Maps of a pyramid -> logits (B, K, h, w) at the stride of the first.

    Each map through log2(stride / first stride) 3x3s, at least one, each followed by doubling; summed.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        steps = [int(log2(stride / strides[0])) for stride in strides]
        self.scale_heads = nn.ModuleList(_scale_head(c, width, n) for c, n in zip(channels, steps, strict=True))

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        maps = [head(x) for head, x in zip(self.scale_heads, levels, strict=True)]
        total = maps[0]
        for x in maps[1:]:
            total = total + enlarge(x, total)
        return total


def _scale_head(channels: int, width: int, doublings: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(max(1, doublings)):
        layers.append(ConvModule(width if i else channels, width, 3))
        if doublings:
            layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
    return nn.Sequential(*layers)


class SemanticFpn(FpnHead):
    """The last four maps of a backbone -> logits (B, K, h, w) at the stride of the first of them.

    neck_width  channels of the pyramid
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 128,
        neck_width: int = 256,
        dropout: float = 0.1,
    ) -> None:
        used = channels[-4:]
        super().__init__([neck_width] * len(used), strides[-4:], num_outputs, width, dropout)
        self.neck = Fpn(used, neck_width)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return super().features(self.neck(levels[-4:]))
