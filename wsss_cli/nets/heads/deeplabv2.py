"""The decoder of DeepLabV2: four dilated classifiers, summed [Chen et al. 2017, sec. 3.2]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.segmenter import Head

RATES = (6, 12, 18, 24)
"""Dilations at output stride 8: ASPP-L of the paper."""


class DeepLabV2(Head):
    """The last feature map -> logits (B, K, h, w) at its stride, by ASPP.

    channels, strides  of the backbone's levels
    aspp_rates  dilations; None: 6, 12, 18, 24 at output stride 8, the same reach in pixels at others
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        aspp_rates: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        rates = aspp_rates or [max(1, rate * 8 // strides[-1]) for rate in RATES]
        self.classifier = SummedConvs(channels[-1], num_outputs, rates)

    def embeddings(self, levels: Sequence[Tensor]) -> Tensor:
        return levels[-1]


class SummedConvs(nn.Module):
    """The sum of 3x3 convolutions of several dilations.  Weights start from N(0, 0.01), biases from 0."""

    def __init__(self, channels: int, num_outputs: int, rates: Sequence[int]) -> None:
        super().__init__()
        convs = [nn.Conv2d(channels, num_outputs, 3, padding=r, dilation=r) for r in rates]
        self.convs = nn.ModuleList(convs)
        for conv in convs:
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([conv(x) for conv in self.convs]).sum(0)  # (B, K, h, w)
