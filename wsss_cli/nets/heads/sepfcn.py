"""The head of Fast-SCNN: an FCN of separable convolutions [Poudel et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.nets.backbones.fastscnn import MOMENTUM
from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.layers.bricks import SeparableConvModule, relu


class SeparableFcn(ConvSegHead):
    """The last map -> logits (B, K, h, w) at its stride, through separable convolutions.

    depthwise_act  ReLU after the depthwise ones; false in files of mmseg 0.30
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 128,
        num_convs: int = 2,
        depthwise_act: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        act = relu if depthwise_act else None
        starts = [channels[-1], *[width] * (num_convs - 1)]
        self.convs = nn.Sequential(
            *(SeparableConvModule(c, width, momentum=MOMENTUM, depthwise_act=act) for c in starts)
        )

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return self.convs(levels[-1])
