"""ResNet as the Caffe models have it, on which DeepLabV2 was published [He et al. 2016; Chen et al. 2017].

It is not timm's or torchvision's: stages stride on their first 1x1 convolution, the max-pool rounds up, every block of
a dilated stage is dilated, and images are BGR of 0..255 less a mean colour.  Tensor names are those of deeplab-pytorch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from timm.models import FeatureInfo
from torch import Tensor, nn

from wsss_cli.batches.transforms import CAFFE_MEAN, MEAN, STD
from wsss_cli.errors import WsssError

WIDTHS = (64, 256, 512, 1024, 2048)
"""Channels that the stem and the four stages give."""

STRIDES = {8: (1, 2, 1, 1), 16: (1, 2, 2, 1), 32: (1, 2, 2, 2)}
DILATIONS = {8: (1, 1, 2, 4), 16: (1, 1, 1, 2), 32: (1, 1, 1, 1)}
"""Of the four stages, by output stride; the published one is 8."""


class CaffeResNet(nn.Module):
    """Normalised images (B, 3, H, W) -> the maps of four stages, strides 4, 8, 16, 32 unless `output_stride` is less.

    blocks  bottlenecks of each stage: (3, 4, 23, 3) of ResNet-101
    Raises WsssError: no such output stride.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, blocks: Sequence[int], output_stride: int = 32) -> None:
        super().__init__()
        if output_stride not in STRIDES:
            raise WsssError(f"a Caffe ResNet has no output stride {output_stride}", "choose 8, 16 or 32")
        scale, shift = _to_caffe()
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", shift, persistent=False)
        self.layer1 = stem(WIDTHS[0])
        info, reduction = [], 4
        for i, (stride, dilation) in enumerate(zip(STRIDES[output_stride], DILATIONS[output_stride])):
            self.add_module(f"layer{i + 2}", stage(blocks[i], WIDTHS[i], WIDTHS[i + 1], stride, dilation))
            reduction *= stride
            info.append({"num_chs": WIDTHS[i + 1], "reduction": reduction, "module": f"layer{i + 2}"})
        self.feature_info = FeatureInfo(info, out_indices=(0, 1, 2, 3))

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.layer1(self.caffe_images(images))  # (B, 64, H / 4, W / 4)
        levels = []
        for n in (2, 3, 4, 5):
            x = self.get_submodule(f"layer{n}")(x)
            levels.append(x)
        return levels

    def caffe_images(self, images: Tensor) -> Tensor:
        """Images normalised as everywhere else -> BGR of 0..255 less the Caffe models' mean: (B, 3, H, W)."""
        return images.flip(1) * self.scale + self.shift


def stem(width: int) -> nn.Sequential:
    """7x7 of stride 2 and max-pool of stride 2 that rounds up: (B, 3, H, W) -> (B, width, ~H / 4, ~W / 4)."""
    pool = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
    return nn.Sequential(OrderedDict(conv1=conv_bn(3, width, 7, 2), relu=nn.ReLU(inplace=True), pool=pool))


def stage(blocks: int, channels: int, width: int, stride: int, dilation: int) -> nn.Sequential:
    """Bottlenecks of one resolution; the first has the stride, and a shortcut convolution in any case."""
    first = Bottleneck(channels, width, stride, dilation, shortcut=True)
    others = (Bottleneck(width, width, 1, dilation, shortcut=False) for _ in range(blocks - 1))
    return nn.Sequential(OrderedDict((f"block{i}", block) for i, block in enumerate((first, *others), 1)))


class Bottleneck(nn.Module):
    """ReLU(x' + increase(conv3x3(reduce(x)))), a quarter as wide inside; x' = x or its 1x1 convolution."""

    def __init__(self, channels: int, width: int, stride: int, dilation: int, shortcut: bool) -> None:
        super().__init__()
        self.reduce = conv_bn(channels, width // 4, 1, stride)
        self.conv3x3 = conv_bn(width // 4, width // 4, 3, 1, dilation)
        self.increase = conv_bn(width // 4, width, 1)
        self.shortcut = conv_bn(channels, width, 1, stride) if shortcut else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv3x3(self.reduce(x).relu_()).relu_()
        return (self.increase(inner) + self.shortcut(x)).relu_()


def conv_bn(channels: int, width: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution without bias and batch norm, named as in deeplab-pytorch."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(channels, width, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(width, eps=1e-5, momentum=1e-3)))


def _to_caffe() -> tuple[Tensor, Tensor]:
    """(3, 1, 1) each, BGR: 255 (x std + mean) - caffe_mean = x scale + shift."""
    mean, std, caffe = (torch.tensor(v, dtype=torch.float64).flip(0).view(3, 1, 1) for v in (MEAN, STD, CAFFE_MEAN))
    return (255 * std).float(), (255 * mean - caffe).float()
