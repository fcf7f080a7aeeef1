"""DANet: attention between pixels and between channels, side by side [Fu et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.attention import attend
from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.heads.outputs import Map, Outputs
from wsss_cli.nets.layers.bricks import ConvModule, Scale, full_precision


class PixelAttention(nn.Module):
    """x + gamma softmax(q k^T) v over pixels, without the usual scale; gamma starts from 0."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.query_project = nn.Conv2d(channels, inner, 1)
        self.key_project = nn.Conv2d(channels, inner, 1)
        self.value_project = nn.Conv2d(channels, channels, 1)
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.query_project(x), self.key_project(x), self.value_project(x)
        return x + self.gamma(attend(q, k, v, scale=1.0))


class ChannelAttention(nn.Module):
    """x + gamma softmax(max - E) X, E = X X^T between channels (max over each row); gamma starts from 0."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x):  # sums over all pixels overflow half precision
            pixels = x.float().flatten(2)  # (B, c, h * w)
            energy = pixels @ pixels.transpose(1, 2)  # (B, c, c)
            scores = (energy.amax(2, keepdim=True) - energy).softmax(2)
            context = (scores @ pixels).view_as(x)
        return x + self.gamma(context.to(x.dtype))


class Da(ConvSegHead):
    """The last map through both attentions, summed -> logits (B, K, h, w) at its stride.

    Each branch has a classifier of its own in training.  `pam_width`: channels of the pixels' queries and keys.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        pam_width: int = 64,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        self.pam_in_conv, self.cam_in_conv = (ConvModule(channels[-1], width, 3) for _ in range(2))
        self.pam, self.cam = PixelAttention(width, pam_width), ChannelAttention()
        self.pam_out_conv, self.cam_out_conv = (ConvModule(width, width, 3) for _ in range(2))
        self.pam_conv_seg, self.cam_conv_seg = (nn.Conv2d(width, num_outputs, 1) for _ in range(2))

    def branches(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = levels[-1]
        return (
            self.pam_out_conv(self.pam(self.pam_in_conv(x))),
            self.cam_out_conv(self.cam(self.cam_in_conv(x))),
        )

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return torch.add(*self.branches(levels))

    def outputs(self, levels: Sequence[Tensor]) -> Outputs:
        pixels, channels = self.branches(levels)
        return {
            "main": Map(self.classify(self.dropout(pixels + channels))),
            "pixels": Map(self.pam_conv_seg(self.dropout(pixels))),
            "channels": Map(self.cam_conv_seg(self.dropout(channels))),
        }
