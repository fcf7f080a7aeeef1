"""The backbone of Fast-SCNN [Poudel et al. 2019], as mmseg builds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.layers.bricks import Activation, ConvModule, PyramidPooling, SeparableConvModule, enlarge, relu

MOMENTUM = 0.01
"""Of its batch norms [mmseg]."""


class Levels:
    """timm's FeatureInfo of the three maps, which that class refuses, as the last one is finer than the second."""

    def __init__(self, channels: Sequence[int]) -> None:
        modules = ("learning_to_downsample", "global_feature_extractor", "feature_fusion")
        rows = zip(channels, (8, 32, 8), modules, strict=True)
        self.info = [{"num_chs": c, "reduction": stride, "module": module} for c, stride, module in rows]

    def channels(self) -> list[Any]:
        return [level["num_chs"] for level in self.info]

    def reduction(self) -> list[Any]:
        return [level["reduction"] for level in self.info]


class FastScnn(nn.Module):
    """Images (B, 3, H, W) -> maps of stride 8 (fine), 32 (coarse) and 8 (both, fused).

    low_widths    of the first two convolutions;  fine_width  of the third, the fine map
    block_widths  of the three groups of inverted residuals;  width  of the coarse and the fused map
    mmseg         the version whose files fit: 0.8, or 0.30, which pads the first convolution, has 3x3s where 0.8 has
                  two 1x1s, and other activations
    """

    def __init__(
        self,
        low_widths: Sequence[int] = (32, 48),
        fine_width: int = 64,
        block_widths: Sequence[int] = (64, 96, 128),
        width: int = 128,
        mmseg: str | float = "0.8",
    ) -> None:
        super().__init__()
        if str(mmseg) not in ("0.8", "0.3", "0.30"):  # YAML reads 0.30 as the number 0.3
            raise WsssError(f"FastSCNN is there as in mmseg 0.8 and 0.30, not {mmseg}", "choose one of the two")
        new = str(mmseg) != "0.8"
        self.learning_to_downsample = _downsampling(low_widths, fine_width, new)
        self.global_feature_extractor = GlobalFeatures(fine_width, block_widths, width, new)
        self.feature_fusion = Fusion(fine_width, width, new)
        self.feature_info = Levels((fine_width, width, width))

    def forward(self, images: Tensor) -> list[Tensor]:
        fine = self.learning_to_downsample(images)
        coarse = self.global_feature_extractor(fine)
        return [fine, coarse, self.feature_fusion(fine, coarse)]


def _downsampling(low: Sequence[int], width: int, new: bool) -> nn.Sequential:
    act = None if new else relu
    layers = nn.Sequential()
    layers.add_module("conv", ConvModule(3, low[0], 3, stride=2, padding=int(new), momentum=MOMENTUM))
    for i, (c, w) in enumerate(((low[0], low[1]), (low[1], width)), 1):
        layer = SeparableConvModule(c, w, stride=2, momentum=MOMENTUM, depthwise_act=act)
        layers.add_module(f"dsconv{i}", layer)
    return layers


class GlobalFeatures(nn.Module):
    """Three groups of three inverted residuals, then pyramid pooling: the fine map -> the coarse one."""

    def __init__(self, channels: int, block_widths: Sequence[int], width: int, new: bool) -> None:
        super().__init__()
        act = relu if new else relu6
        for i, (w, stride) in enumerate(zip(block_widths, (2, 2, 1), strict=True), 1):
            group = (InvertedResidual(w if j else channels, w, 1 if j else stride, act) for j in range(3))
            self.add_module(f"bottleneck{i}", nn.Sequential(*group))
            channels = w
        self.ppm = PyramidPooling(channels, channels // 4, (1, 2, 3, 6), MOMENTUM)
        self.out = ConvModule(channels + 4 * (channels // 4), width, 3 if new else 1, momentum=MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        for i in (1, 2, 3):
            x = self.get_submodule(f"bottleneck{i}")(x)
        return self.out(torch.cat([x, *self.ppm(x)], 1))


class InvertedResidual(nn.Module):
    """1x1 to six times the channels, depthwise 3x3, 1x1 [Sandler et al. 2018]; plus x where the shapes agree."""

    def __init__(self, channels: int, width: int, stride: int, act: Activation) -> None:
        super().__init__()
        inner = 6 * channels
        self.adds = stride == 1 and channels == width
        self.conv = nn.Sequential(
            ConvModule(channels, inner, momentum=MOMENTUM, act=act),
            ConvModule(inner, inner, 3, stride=stride, groups=inner, momentum=MOMENTUM, act=act),
            ConvModule(inner, width, momentum=MOMENTUM, act=None),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class Fusion(nn.Module):
    """ReLU(fine + coarse), the coarse map enlarged, each through its own convolutions to `width` channels."""

    def __init__(self, fine_width: int, width: int, new: bool) -> None:
        super().__init__()
        kernel, groups = (3, width) if new else (1, 1)
        self.dwconv = ConvModule(width, width, kernel, groups=groups, momentum=MOMENTUM)
        self.conv_lower_res = ConvModule(width, width, momentum=MOMENTUM, act=None)
        self.conv_higher_res = ConvModule(fine_width, width, momentum=MOMENTUM, act=None)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = self.conv_lower_res(self.dwconv(enlarge(coarse, fine)))
        return torch.relu(self.conv_higher_res(fine) + coarse)


def relu6() -> nn.Module:
    return nn.ReLU6(inplace=True)
