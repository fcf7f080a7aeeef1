"""ScaleNet: a ResNet whose 3x3 convolutions see several resolutions at once  [Li, Kuang, Chen, Zhang 2019].

The tensor names are those of the released files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from timm.models import FeatureInfo
from torch import Tensor, nn

from wsss_cli.errors import WsssError

TABLES = Path(__file__).with_name("scalenet.json")
"""By name and block: output channels at full resolution and after pooling by 2, 4 and 7; side of the map at 224 x 224.

Found by the authors' search on ImageNet.
"""

DEPTHS = {"scalenet50": (3, 4, 6, 3), "scalenet101": (3, 4, 23, 3), "scalenet152": (3, 8, 36, 3)}

POOLS = (1, 2, 4, 7)

LAYOUTS = {8: ((1, 2, 1, 1), (1, 1, 2, 4)), 16: ((1, 2, 2, 1), (1, 1, 1, 2)), 32: ((1, 2, 2, 2), (1, 1, 1, 1))}
"""Strides and dilations of the four layers, by output stride; released: 8, dilated for segmentation only."""


class ScaleNet(nn.Module):
    """Images (B, 3, H, W) -> five maps of strides 2, 4, 8, ...: 64, 256, 512, 1024 and 2048 channels.

    Every block of a dilated layer is dilated, the first as well.  Raises WsssError: no such output stride.
    """

    def __init__(self, name: str, output_stride: int = 32) -> None:
        super().__init__()
        if output_stride not in LAYOUTS:
            raise WsssError(f"a ScaleNet has no output stride {output_stride}", "choose 8, 16 or 32")
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        rows = iter(json.loads(TABLES.read_text(encoding="utf-8"))[name])
        info = [{"num_chs": 64, "reduction": 2, "module": "bn1"}]
        channels, reduction = 64, 4
        for i, (depth, stride, dilation) in enumerate(zip(DEPTHS[name], *LAYOUTS[output_stride], strict=True), 1):
            width = 64 << (i - 1)
            blocks = []
            for j in range(depth):
                blocks.append(SABlock(channels, width, next(rows), stride if j == 0 else 1, dilation, shortcut=j == 0))
                channels = 4 * width
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
            reduction *= stride
            info.append({"num_chs": channels, "reduction": reduction, "module": f"layer{i}"})
        self.feature_info = FeatureInfo(info, out_indices=(0, 1, 2, 3, 4))
        self.apply(_initialise)

    def forward(self, images: Tensor) -> list[Tensor]:
        levels = [F.relu(self.bn1(self.conv1(images)))]  # (B, 64, H / 2, W / 2)
        x = F.max_pool2d(levels[0], 3, stride=2, padding=1)
        for i in (1, 2, 3, 4):
            x = self.get_submodule(f"layer{i}")(x)
            levels.append(x)
        return levels


class SABlock(nn.Module):
    """A bottleneck with branches at several resolutions: (B, channels, H, W) -> (B, 4 width, H / stride, W / stride).

    row       output channels of the four branches, 0 for none; side of the map at 224 x 224
    shortcut  whether the residual goes through a 1x1 convolution
    """

    def __init__(
        self,
        channels: int,
        width: int,
        row: Sequence[int],
        stride: int = 1,
        dilation: int = 1,
        shortcut: bool = False,
    ) -> None:
        super().__init__()
        *branches, side = row
        self.stride, out = stride, 4 * width
        projection = (nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
        self.downsample = nn.Sequential(*projection) if shortcut else nn.Identity()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        used = {str(i): n for i, n in enumerate(branches) if n}
        self.conv2 = nn.ModuleDict({i: _branch(width, n, side / 2 ** int(i), dilation) for i, n in used.items()})
        self.bn2 = nn.ModuleDict({i: nn.BatchNorm2d(n) for i, n in used.items()})
        self.conv3 = nn.Conv2d(sum(branches), out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(x, self.stride) if self.stride > 1 else x
        inner = F.relu(self.bn1(self.conv1(x)))  # (B, width, h, w)
        seen = []
        for i, conv in self.conv2.items():
            part = conv(_pooled(inner, POOLS[int(i)]))
            seen.append(self.bn2[i](_enlarged(part, inner.shape[2:])))
        out = self.bn3(self.conv3(F.relu(torch.cat(seen, 1))))
        return F.relu(out + self.downsample(x))


def _branch(width: int, channels: int, side: float, dilation: int) -> nn.Conv2d:
    """3x3, or 1x1 where the map is a single cell at 224 x 224."""
    if side <= 1:
        return nn.Conv2d(width, channels, 1, bias=False)
    return nn.Conv2d(width, channels, 3, padding=dilation, dilation=dilation, bias=False)


def _pooled(x: Tensor, size: int) -> Tensor:
    """Max-pooled by `size`; a map that is smaller to one cell, of its left or upper square, as released."""
    if size == 1:
        return x
    h, w = x.shape[2:]
    return F.max_pool2d(x, size) if min(h, w) >= size else F.max_pool2d(x, min(h, w), max(h, w))


def _enlarged(x: Tensor, size: torch.Size) -> Tensor:
    """To `size`: nearest where it is a multiple, else bilinear, align_corners False."""
    if x.shape[2:] == size:
        return x
    if size[0] % x.shape[2] == 0 and size[1] % x.shape[3] == 0:
        return F.interpolate(x, size, mode="nearest")
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _initialise(module: nn.Module) -> None:
    """Convolutions from N(0, 2 / (k k out))."""
    if isinstance(module, nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
