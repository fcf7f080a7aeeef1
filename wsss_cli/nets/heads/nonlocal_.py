"""Non-local networks [Wang et al. 2018] and disentangled ones, DNLNet [Yin et al. 2020]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsss_cli.nets.heads.attention import attend
from wsss_cli.nets.heads.fcn import Fcn
from wsss_cli.nets.layers.bricks import ConvModule

TEMPERATURE = 0.05
"""By which DNLNet divides its scores [mmseg]."""


class NonLocalBlock(nn.Module):
    """x + BN(W_out(softmax(theta phi^T / sqrt(c)) g)); the norm starts from 0, so the block from x."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.inner = max(1, channels // reduction)
        self.g, self.theta, self.phi = (ConvModule(channels, self.inner, norm=False, act=None) for _ in range(3))
        self.conv_out = ConvModule(self.inner, channels, act=None)
        for module in (self.g, self.theta, self.phi):
            nn.init.normal_(module.conv.weight, std=0.01)
        nn.init.zeros_(self.conv_out.bn.weight)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_out(attend(self.theta(x), self.phi(x), self.g(x)))


class DisentangledBlock(NonLocalBlock):
    """Scores of pairs without their means, sharpened, and beside them one score of each pixel for all."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__(channels, reduction)
        self.conv_mask = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = self.theta(x), self.phi(x), self.g(x)
        theta, phi = (t - t.mean((2, 3), keepdim=True) for t in (theta, phi))
        pairs = attend(theta, phi, g, scale=self.inner**-0.5 / TEMPERATURE)  # (B, c, h, w)
        share = self.conv_mask(x).flatten(2).softmax(2)  # (B, 1, h * w)
        alone = g.flatten(2) @ share.transpose(1, 2)  # (B, c, 1)
        return x + self.conv_out(pairs + alone[..., None])


class NonLocal(Fcn):
    """FCN whose pixels ask all others after the first convolution -> logits (B, K, h, w) at the last stride."""

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        reduction: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, strides, num_outputs, width, dropout=dropout)
        self.nl_block = NonLocalBlock(width, reduction)

    def attend(self, x: Tensor) -> Tensor:
        return self.nl_block(x)


class Dnl(Fcn):
    """FCN with a disentangled non-local block -> logits (B, K, h, w) at the last stride."""

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        reduction: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, strides, num_outputs, width, dropout=dropout)
        self.dnl_block = DisentangledBlock(width, reduction)

    def attend(self, x: Tensor) -> Tensor:
        return self.dnl_block(x)
