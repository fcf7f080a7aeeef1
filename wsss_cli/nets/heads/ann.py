"""ANN: asymmetric non-local attention, to a handful of pooled pixels [Zhu et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.heads.attention import SelfAttentionBlock
from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule


class Pooled:
    """The means of a map over s x s cells for each s, one after the other: (B, c, h, w) -> (B, c, sum of s * s)."""

    def __init__(self, scales: Sequence[int]) -> None:
        self.scales = tuple(scales)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.cat([F.adaptive_avg_pool2d(x, s).flatten(2) for s in self.scales], 2)


class NonLocalJoin(nn.Module):
    """A map beside what its pixels learn from another's, through a 1x1; `act` False: without ReLU."""

    def __init__(
        self, other: int, channels: int, width: int, scales: Sequence[int], *, out: int, share: bool, act: bool
    ) -> None:
        super().__init__()
        block = SelfAttentionBlock(other, channels, width, out, share=share, reduce=Pooled(scales))
        self.stages = nn.ModuleList([block])
        self.bottleneck = ConvModule(out + channels, out) if act else ConvModule(out + channels, out, act=None)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return self.bottleneck(torch.cat((self.stages[0](x, other), x), 1))


class Ann(ConvSegHead):
    """The last two maps fused, then attending to itself -> logits (B, K, h, w) at the last stride.

    inner  channels of queries, keys and values;  pool_scales  cells per side that keys and values are averaged in
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        inner: int = 256,
        pool_scales: Sequence[int] = (1, 3, 6, 8),
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        low, high = channels[-2:]
        self.fusion = NonLocalJoin(low, high, inner, pool_scales, out=high, share=False, act=False)
        self.bottleneck = ConvModule(high, width, 3)
        self.context = NonLocalJoin(width, width, inner, pool_scales, out=width, share=True, act=True)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        low, high = levels[-2:]
        x = self.bottleneck(self.dropout(self.fusion(high, low)))  # (B, width, h, w)
        return self.context(x, x)
