"""The backbone of CGNet [Wu et al. 2021], as mmseg builds it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from timm.models import FeatureInfo
from torch import Tensor, nn

from wsss_cli.nets.layers.bricks import ConvModule, kaiming_fan_out

EPS = 1e-3
"""Of its batch norms [mmseg]."""


class CgNet(nn.Module):
    """Images (B, 3, H, W) -> maps of strides 2, 4 and 8; the default is M3N21.

    widths  of the stem and the two stages;  blocks, dilations, reductions  of the stages' blocks
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128),
        blocks: Sequence[int] = (3, 21),
        dilations: Sequence[int] = (2, 4),
        reductions: Sequence[int] = (8, 16),
    ) -> None:
        super().__init__()
        a, b, c = widths
        self.stem = nn.Sequential(*(_conv(a if i else 3, a, 3, 1 if i else 2) for i in range(3)))
        self.norm_prelu_0 = _norm_prelu(a + 3)
        self.level1 = _stage(a + 3, b, blocks[0], dilations[0], reductions[0])
        self.norm_prelu_1 = _norm_prelu(2 * b + 3)
        self.level2 = _stage(2 * b + 3, c, blocks[1], dilations[1], reductions[1])
        self.norm_prelu_2 = _norm_prelu(2 * c)
        channels = (a + 3, 2 * b + 3, 2 * c)
        info = [{"num_chs": n, "reduction": 2 << i, "module": f"norm_prelu_{i}"} for i, n in enumerate(channels)]
        self.feature_info = FeatureInfo(info, out_indices=(0, 1, 2))

    def forward(self, images: Tensor) -> list[Tensor]:
        half = _halved(images)
        fine = self.norm_prelu_0(torch.cat((self.stem(images), half), 1))
        first, x = _through(self.level1, fine)
        middle = self.norm_prelu_1(torch.cat((x, first, _halved(half)), 1))
        first, x = _through(self.level2, middle)
        return [fine, middle, self.norm_prelu_2(torch.cat((first, x), 1))]


def _conv(channels: int, width: int, kernel: int, stride: int = 1) -> ConvModule:
    return ConvModule(channels, width, kernel, stride=stride, eps=EPS, act=partial(nn.PReLU, width))


def _norm_prelu(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels, EPS), nn.PReLU(channels))


def _stage(channels: int, width: int, blocks: int, dilation: int, reduction: int) -> nn.ModuleList:
    return nn.ModuleList(
        ContextGuidedBlock(width if i else channels, width, dilation, reduction, halve=i == 0) for i in range(blocks)
    )


def _halved(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 3, stride=2, padding=1)


def _through(stage: nn.ModuleList, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the first block and what the last one gives."""
    first = x = stage[0](x)
    for block in list(stage)[1:]:
        x = block(x)
    return first, x


class ContextGuidedBlock(nn.Module):
    """Near and dilated depthwise 3x3s side by side, weighed by the mean of the map; plus x unless it halves."""

    def __init__(self, channels: int, width: int, dilation: int, reduction: int, halve: bool) -> None:
        super().__init__()
        inner = width if halve else width // 2
        self.halve = halve
        self.conv1x1 = _conv(channels, inner, 3, 2) if halve else _conv(channels, inner, 1)
        self.f_loc = nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False)
        self.f_sur = nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation, groups=inner, bias=False)
        self.bn = nn.BatchNorm2d(2 * inner, EPS)
        self.activate = nn.PReLU(2 * inner)
        self.bottleneck = nn.Conv2d(2 * inner, width, 1, bias=False) if halve else nn.Identity()
        self.f_glo = Gate(width, reduction)
        for conv in (self.f_loc, self.f_sur, self.bottleneck):
            if isinstance(conv, nn.Conv2d):
                kaiming_fan_out(conv)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1x1(x)
        y = self.activate(self.bn(torch.cat((self.f_loc(y), self.f_sur(y)), 1)))  # (B, 2 * inner, h, w)
        y = self.f_glo(self.bottleneck(y))
        return y if self.halve else x + y


class Gate(nn.Module):
    """Each channel times a number in [0, 1] that all their means decide."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        inner = channels // reduction
        self.fc = nn.Sequential(
            nn.Linear(channels, inner), nn.ReLU(inplace=True), nn.Linear(inner, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[..., None, None]
