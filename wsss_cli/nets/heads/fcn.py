"""FCN: convolutions and a classifier [Long et al. 2015], as mmseg builds it; also its auxiliary heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import ConvModule, enlarge


class Fcn(ConvSegHead):
    """A feature map -> logits (B, K, h, w) at its stride, through `num_convs` convolutions.

    concat  a last one sees the map beside their result
    level   which map; -1 the last
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        num_convs: int = 2,
        kernel: int = 3,
        concat: bool = True,
        dropout: float = 0.1,
        level: int = -1,
    ) -> None:
        start = channels[level]
        super().__init__(width if num_convs else start, num_outputs, dropout)
        self.level, self.concat = level, concat
        self.convs = nn.ModuleList(ConvModule(start if i == 0 else width, width, kernel) for i in range(num_convs))
        if concat:
            self.conv_cat = ConvModule(start + width, width, kernel)

    def attend(self, x: Tensor) -> Tensor:
        """What subclasses do after the first convolution: (B, width, h, w) -> the same shape."""
        return x

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        x = y = levels[self.level]
        for i, conv in enumerate(self.convs):
            y = conv(y) if i else self.attend(conv(y))
        return self.conv_cat(torch.cat((x, y), 1)) if self.concat else y


class JoinedFcn(Fcn):
    """The last four maps, joined at the size of the first -> logits (B, K, h, w) [HRNet: Wang et al. 2020].

    width  None: as many channels as the four have
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        c = sum(channels[-4:])
        super().__init__((c,), strides[-4:], num_outputs, width or c, 1, kernel=1, concat=False, dropout=dropout)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return super().features([joined(levels[-4:])])


class Linear(Fcn):
    """The last map -> logits (B, K, h, w) at its stride, by the classifier alone, as CGNet has it [Wu et al. 2021]."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int], num_outputs: int, dropout: float = 0.0) -> None:
        super().__init__(channels, strides, num_outputs, num_convs=0, concat=False, dropout=dropout)


def joined(levels: Sequence[Tensor]) -> Tensor:
    """Maps enlarged to the size of the first, one after the other: (B, sum of c_i, h, w)."""
    return torch.cat([enlarge(x, levels[0]) for x in levels], 1)
