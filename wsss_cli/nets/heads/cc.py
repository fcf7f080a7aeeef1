"""CCNet: each pixel attends to its row and column, twice, and so to all [Huang et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.fcn import Fcn
from wsss_cli.nets.layers.bricks import Scale


class CrissCross(nn.Module):
    """x + gamma softmax(q k^T) v over the pixels of the same row or column, each counted once; gamma starts from 0."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key_conv = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        h = x.shape[2]
        column = torch.einsum("bchw,bciw->bhwi", q, k)  # (B, h, w, h)
        row = torch.einsum("bchw,bchj->bhwj", q, k)  # (B, h, w, w)
        itself = torch.eye(h, dtype=torch.bool, device=x.device)[:, None]  # (h, 1, h): already in the row
        scores = torch.cat((column.masked_fill(itself, -torch.inf), row), -1).softmax(-1)  # (B, h, w, h + w)
        context = torch.einsum("bciw,bhwi->bchw", v, scores[..., :h].to(v.dtype))
        context = context + torch.einsum("bchj,bhwj->bchw", v, scores[..., h:].to(v.dtype))
        return x + self.gamma(context)


class Cc(Fcn):
    """FCN with criss-cross attention after the first convolution -> logits (B, K, h, w) at the last stride.

    recurrence  how often it is applied, with the same weights
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        recurrence: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, strides, num_outputs, width, dropout=dropout)
        self.recurrence = recurrence
        self.cca = CrissCross(width)

    def attend(self, x: Tensor) -> Tensor:
        for _ in range(self.recurrence):
            x = self.cca(x)
        return x
