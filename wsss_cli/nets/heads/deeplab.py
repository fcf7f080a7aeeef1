"""The decoder of DeepLabV3+ with separable convolutions [Chen et al. 2018], as BECO trains it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.layers.norms import PooledBatchNorm
from wsss_cli.nets.segmenter import Head, level_of_stride_4


class DeepLabV3Plus(Head):
    """Feature maps of a backbone -> logits (B, K, h, w) at stride 4.

    ASPP on the last map, up-sampled to the stride-4 map, joined to a narrow projection of it, one separable block.
    Tensor names are those of BECO's checkpoints.  Every convolution starts from Kaiming normal (fan in, ReLU).

    channels, strides  of the backbone's levels;  width of ASPP and embeddings, low_width of the projection
    aspp_rates  dilations of ASPP; None: `rates` of the last stride
    Raises WsssError if the backbone has no level of stride 4.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 256,
        aspp_rates: Sequence[int] | None = None,
        low_width: int = 48,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.low = level_of_stride_4(strides, "deeplabv3plus", "a resnet")
        self.aspp = ASPP(channels[-1], width, aspp_rates or rates(strides[-1]), dropout)
        self.projector = conv_bn_relu(channels[self.low], low_width, 1)
        self.pre_classifier = Separable(low_width + width, width, 1)
        self.classifier = nn.Conv2d(width, num_outputs, 1)
        kaiming_convs(self)

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        low = self.projector(levels[self.low])  # (B, low_width, h, w)
        high = self.aspp(levels[-1])  # (B, width, h / 4, w / 4) at output stride 16
        high = F.interpolate(high, low.shape[2:], mode="bilinear", align_corners=False)  # (B, width, h, w)
        return self.pre_classifier(torch.cat((low, high), 1))  # (B, width, h, w)


def rates(output_stride: int) -> tuple[int, int, int]:
    """Dilations of ASPP: 6, 12, 18 at output stride 16, the same reach in pixels at others."""
    a, b, c = (rate * 16 // output_stride for rate in (6, 12, 18))
    return a, b, c


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, dilated separable 3x3s, and the mean of the map, joined by a 1x1."""

    def __init__(self, channels: int, width: int, rates: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList([conv_bn_relu(channels, width, 1), *(Separable(channels, width, r) for r in rates)])
        self.convs.append(ImagePooling(channels, width))
        self.projector = conv_bn_relu((2 + len(rates)) * width, width, 1)
        self.projector.append(nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        return self.projector(torch.cat([branch(x) for branch in self.convs], 1))


class Separable(nn.Module):
    """Depthwise 3x3 with a dilation, then pointwise, each with batch norm and ReLU."""

    def __init__(self, channels: int, width: int, dilation: int) -> None:
        super().__init__()
        depthwise = conv_bn_relu(channels, channels, 3, dilation, groups=channels)
        self.convs = nn.Sequential(*depthwise, *conv_bn_relu(channels, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.convs(x)


class ImagePooling(nn.Module):
    """The mean of the map, through a 1x1, spread over the map again."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        norm = PooledBatchNorm(width)
        conv = nn.Conv2d(channels, width, 1, bias=False)
        self.convs = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv, norm, nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(self.convs(x), x.shape[2:], mode="bilinear", align_corners=False)  # (B, width, h, w)


def conv_bn_relu(channels: int, width: int, kernel: int, dilation: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, without bias; batch norm; ReLU."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(channels, width, kernel, padding=padding, dilation=dilation, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True))


def kaiming_convs(module: nn.Module) -> None:
    """Every convolution from Kaiming normal (fan in, ReLU), as BECO starts its decoders."""
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
