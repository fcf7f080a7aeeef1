"""EMANet: features rebuilt from a few bases that expectation maximisation finds [Li et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule, full_precision
from wsss_cli.ranks.distributed import mean_over_ranks


class EmaModule(nn.Module):
    """Features (B, c, h, w) -> the same from `num_bases` bases, without gradient, in float32.

    Steps from mu = `bases`:  a = softmax_k(x^T mu);  mu = x a / sum_p a, of length 1.  Returns mu a^T.  In training the
    buffer moves by `momentum` to the mean mu of the batch, of length 1; it is not made so again.
    """

    bases: Tensor

    def __init__(self, channels: int, num_bases: int, num_stages: int, momentum: float) -> None:
        super().__init__()
        self.num_stages, self.momentum = num_stages, momentum
        start = torch.randn(1, channels, num_bases)  # their scale is lost in the normalisation
        self.register_buffer("bases", F.normalize(start, dim=1))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x):
            pixels, mu = x.float().flatten(2), self.bases  # (B, c, N), (1, c, k)
            for _ in range(self.num_stages):
                share = (pixels.transpose(1, 2) @ mu).softmax(2)  # (B, N, k)
                mu = F.normalize(pixels @ F.normalize(share, p=1, dim=1), dim=1)  # (B, c, k)
            if self.training:
                mean = F.normalize(mean_over_ranks(mu.mean(0, keepdim=True)), dim=1)
                self.bases.lerp_(mean, self.momentum)
            return (mu @ share.transpose(1, 2)).view_as(x)


class Ema(ConvSegHead):
    """The last map, joined by its reconstruction, beside itself -> logits (B, K, h, w) at its stride.

    inner  channels in which the bases live;  steps  of expectation maximisation
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 256,
        inner: int = 512,
        num_bases: int = 64,
        steps: int = 3,
        momentum: float = 0.1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        self.ema_in_conv = ConvModule(channels[-1], inner, 3)
        self.ema_mid_conv = ConvModule(inner, inner, norm=False, act=None).requires_grad_(False)  # no gradient comes
        self.ema_module = EmaModule(inner, num_bases, steps, momentum)
        self.ema_out_conv = ConvModule(inner, inner, act=None)
        self.bottleneck = ConvModule(inner, width, 3)
        self.conv_cat = ConvModule(channels[-1] + width, width, 3)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = levels[-1]
        before = self.ema_in_conv(x)  # (B, inner, h, w)
        rebuilt = self.ema_out_conv(torch.relu(self.ema_module(self.ema_mid_conv(before))))
        after = self.bottleneck(torch.relu(before + rebuilt))  # (B, width, h, w)
        return self.conv_cat(torch.cat((x, after), 1))
