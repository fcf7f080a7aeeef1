"""What the heads of mmseg are built of, with its parameter names, so that its published files load.

mmseg: OpenMMLab's semantic segmentation toolbox, version 0.x.  Its models resize bilinearly, align_corners False.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.amp.autocast_mode import is_autocast_available

from wsss_cli.nets.layers.norms import PooledBatchNorm

Activation = Callable[[], nn.Module]


def relu() -> nn.Module:
    return nn.ReLU(inplace=True)


class ConvModule(nn.Module):
    """Convolution that keeps the size (unless `padding` says otherwise), batch norm, activation.

    bias only where there is no norm.  Starts from Kaiming normal (fan out, ReLU); norm 1 and 0.  `norm` False: none;
    `act` None: none.  Maps of a single value train: see PooledBatchNorm.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        groups: int = 1,
        norm: bool = True,
        eps: float = 1e-5,
        momentum: float = 0.1,
        act: Activation | None = relu,
    ) -> None:
        super().__init__()
        if padding is None:
            padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding, dilation, groups, bias=not norm)
        self.bn = PooledBatchNorm(width, eps, momentum) if norm else None
        self.activate = act() if act else None
        kaiming_fan_out(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return x if self.activate is None else self.activate(x)


def kaiming_fan_out(conv: nn.Conv2d) -> None:
    """Weights from Kaiming normal (fan out, ReLU), the bias 0."""
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class SeparableConvModule(nn.Module):
    """Depthwise 3x3, then pointwise, each with batch norm and activation; `depthwise_act` of the former alone."""

    def __init__(
        self,
        channels: int,
        width: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        momentum: float = 0.1,
        depthwise_act: Activation | None = relu,
    ) -> None:
        super().__init__()
        self.depthwise_conv = ConvModule(
            channels,
            channels,
            3,
            stride=stride,
            dilation=dilation,
            groups=channels,
            momentum=momentum,
            act=depthwise_act,
        )
        self.pointwise_conv = ConvModule(channels, width, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))


class PyramidPooling(nn.ModuleList):
    """The map averaged in s x s cells, through a 1x1, and enlarged again, for each s [Zhao et al. 2017, sec. 3.2].

    (B, c, h, w) -> a list of (B, width, h, w).
    """

    def __init__(self, channels: int, width: int, scales: Sequence[int], momentum: float = 0.1) -> None:
        cells = (nn.Sequential(nn.AdaptiveAvgPool2d(s), ConvModule(channels, width, momentum=momentum)) for s in scales)
        super().__init__(cells)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [enlarge(cell(x), x) for cell in self]


class Scale(nn.Module):
    """A learnt factor."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """(B, c, h, w) to the height and width of `like`, bilinear, align_corners False."""
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)


def full_precision(x: Tensor) -> AbstractContextManager[object]:
    """No mixed precision on the device of x: for sums that it would spoil."""
    device = x.device.type
    return torch.autocast(device, enabled=False) if is_autocast_available(device) else nullcontext()
