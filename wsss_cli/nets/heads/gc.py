"""GCNet: one context of the whole image, added to every pixel [Cao et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.nets.heads.fcn import Fcn


class ContextBlock(nn.Module):
    """x + W2 ReLU(LN(W1 sum_p a_p x_p)), a = softmax over pixels of a 1x1; W2 starts from 0, so the block from x."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.conv_mask = nn.Conv2d(channels, 1, 1)
        self.channel_add_conv = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.LayerNorm([inner, 1, 1]),
            nn.ReLU(inplace=True),
            last := nn.Conv2d(inner, channels, 1),
        )
        nn.init.kaiming_normal_(self.conv_mask.weight, mode="fan_in", nonlinearity="relu")
        for tensor in (self.conv_mask.bias, last.weight, last.bias):
            nn.init.zeros_(tensor)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        share = self.conv_mask(x).flatten(2).softmax(2)  # (B, 1, h * w)
        context = x.flatten(2) @ share.transpose(1, 2)  # (B, c, 1)
        return x + self.channel_add_conv(context[..., None])


class Gc(Fcn):
    """FCN with a context block after the first convolution -> logits (B, K, h, w) at the last stride.

    ratio  of the block's inner width to `width`
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        ratio: float = 0.25,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, strides, num_outputs, width, dropout=dropout)
        self.gc_block = ContextBlock(width, max(1, int(width * ratio)))

    def attend(self, x: Tensor) -> Tensor:
        return self.gc_block(x)
