"""The projection head of DINO [Caron et al. 2021], which compares tokens by their cosines to learnt prototypes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Projector(nn.Module):
    """Tokens (..., D) -> cosines to `outputs` prototypes (..., outputs), in [-1, 1].

    A perceptron of two hidden layers, its output scaled to length 1, times a matrix whose rows have length weight_g,
    which stays 1.  Tensor names are those of the released checkpoints, whose weight norm is torch's of old.
    `bottleneck` and `cosines` are its halves: what only some tokens need, the wide second one, only they should pay.
    """

    def __init__(self, dim: int, outputs: int, hidden: int = 2048, bottleneck: int = 256) -> None:
        super().__init__()
        sizes = ((dim, hidden), (hidden, hidden), (hidden, bottleneck))
        one, two, three = (nn.Linear(a, b) for a, b in sizes)
        self.mlp = nn.Sequential(one, nn.GELU(), two, nn.GELU(), three)
        for linear in (one, two, three):
            nn.init.trunc_normal_(linear.weight, std=0.02)
            nn.init.zeros_(linear.bias)
        self.last_layer = _Rows(bottleneck, outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.cosines(self.bottleneck(tokens))

    def bottleneck(self, tokens: Tensor) -> Tensor:
        """(..., D) -> (..., bottleneck), of length 1."""
        return F.normalize(self.mlp(tokens), dim=-1)

    def cosines(self, units: Tensor) -> Tensor:
        """(..., bottleneck) -> (..., outputs)."""
        return self.last_layer(units)


class _Rows(nn.Module):
    """A linear layer without bias whose rows have a given length."""

    weight_g: Tensor

    def __init__(self, dim: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight_g", torch.ones(outputs, 1))
        self.weight_v = nn.Parameter(nn.Linear(dim, outputs, bias=False).weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.normalize(self.weight_v, dim=1) * self.weight_g)
