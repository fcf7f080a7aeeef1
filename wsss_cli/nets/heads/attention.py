"""Attention between the pixels of two maps, as several of mmseg's heads build it."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.nets.layers.bricks import ConvModule


def attend(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    """softmax(scale q k^T) v over pixels; scale None: 1 / sqrt(c).

    query (B, c, h, w); key (B, c, ...) and value (B, d, ...) of as many pixels as each other.  Returns (B, d, h, w).
    """
    q, k, v = (x.flatten(2).transpose(1, 2) for x in (query, key, value))  # (B, N, c), (B, M, c), (B, M, d)
    out = F.scaled_dot_product_attention(q, k, v, scale=scale)  # (B, N, d)
    return out.transpose(1, 2).unflatten(2, query.shape[2:])


class SelfAttentionBlock(nn.Module):
    """Each pixel of a map asks another map: project, attend, project.

    query_channels -> `width` -> out_channels.  `convs`: how many 1x1 each of query and key passes; `normed`: value and
    output with batch norm and ReLU too, else plain, the output starting from 0.  `share`: key and query alike.
    `reduce`: what key and value go through last, as pooling.
    """

    def __init__(
        self,
        key_channels: int,
        query_channels: int,
        width: int,
        out_channels: int,
        *,
        convs: int = 1,
        normed: bool = False,
        share: bool = False,
        reduce: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.key_project = _projection(key_channels, width, convs)
        self.query_project = self.key_project if share else _projection(query_channels, width, convs)
        self.value_project = ConvModule(key_channels, width) if normed else nn.Conv2d(key_channels, width, 1)
        self.out_project = ConvModule(width, out_channels) if normed else _silent(width, out_channels)
        self.reduce = reduce

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        q, k, v = self.query_project(query), self.key_project(key), self.value_project(key)
        if self.reduce is not None:
            k, v = self.reduce(k), self.reduce(v)
        return self.out_project(attend(q, k, v))


def _projection(channels: int, width: int, convs: int) -> nn.Module:
    if convs == 1:
        return ConvModule(channels, width)
    return nn.Sequential(*(ConvModule(width if i else channels, width) for i in range(convs)))


def _silent(channels: int, width: int) -> nn.Conv2d:
    """A 1x1 convolution that starts from 0."""
    conv = nn.Conv2d(channels, width, 1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
