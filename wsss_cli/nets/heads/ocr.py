"""OCRNet: pixels ask the classes' mean features, as a coarse prediction finds them [Yuan et al. 2020]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_cli.nets.heads.attention import SelfAttentionBlock
from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.heads.fcn import Fcn, joined
from wsss_cli.nets.heads.outputs import Map, Outputs
from wsss_cli.nets.layers.bricks import ConvModule, enlarge
from wsss_cli.nets.segmenter import Head

COARSE_WEIGHT = 0.4
"""Of the coarse prediction's loss [mmseg]."""


class ObjectContext(SelfAttentionBlock):
    """Pixels (B, c, h, w) ask the classes (B, c, K, 1); the answer beside them, through a 1x1."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__(channels, channels, inner, channels, convs=2, normed=True)
        self.bottleneck = ConvModule(2 * channels, channels)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.bottleneck(torch.cat((super().forward(query, key), query), 1))


class Ocr(ConvSegHead):
    """Maps of a backbone -> logits (B, K, h, w), of the last map or of the last four joined at the first's stride.

    join   the last four maps joined, as on HRNet; None: where the backbone ends at stride 32
    inner  channels of queries, keys and values;  coarse_width  of the coarse head, which joined maps need not
    dropout  None: 0.1, but 0 on joined maps
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        inner: int = 256,
        coarse_width: int = 256,
        join: bool | None = None,
        dropout: float | None = None,
    ) -> None:
        joins = strides[-1] == 32 if join is None else join
        rate = (0.0 if joins else 0.1) if dropout is None else dropout
        super().__init__(width, num_outputs, rate)
        self.join = joins
        c = sum(channels[-4:]) if self.join else channels[-1]
        self.bottleneck = ConvModule(c, width, 3)
        self.object_context_block = ObjectContext(width, inner)
        self.coarse: Head
        if self.join:
            self.coarse = Fcn((c,), (strides[-1],), num_outputs, c, 1, kernel=1, concat=False, dropout=rate)
        else:
            self.coarse = Fcn(channels, strides, num_outputs, coarse_width, 1, concat=False, dropout=rate, level=-2)

    def predict(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The features (B, width, h, w) and the coarse logits (B, K, h, w)."""
        if self.join:
            levels = [joined(levels[-4:])]
        coarse = self.coarse(levels)
        return self.refine(levels[-1], coarse), coarse

    def refine(self, x: Tensor, coarse: Tensor) -> Tensor:
        """What is classified, of a map (B, c, h, w) and coarse logits (B, K, h, w)."""
        x = self.bottleneck(x)
        return self.object_context_block(x, class_means(x, enlarge(coarse, x)))

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return self.predict(levels)[0]

    def outputs(self, levels: Sequence[Tensor]) -> Outputs:
        features, coarse = self.predict(levels)
        return {"main": Map(self.classify(self.dropout(features))), "coarse": Map(coarse, COARSE_WEIGHT)}


def class_means(x: Tensor, logits: Tensor) -> Tensor:
    """Features averaged by each class's softmax over pixels: (B, c, h, w), (B, K, h, w) -> (B, c, K, 1)."""
    share = logits.flatten(2).softmax(2).to(x.dtype)  # (B, K, h * w)
    return (x.flatten(2) @ share.transpose(1, 2))[..., None]
