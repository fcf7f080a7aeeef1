"""EncNet: channels weighed by how an image's features scatter around learnt codewords [Zhang et al. 2018]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsss_cli.nets.heads.conv_seg import ConvSegHead
from wsss_cli.nets.heads.outputs import Map, Outputs, Presence
from wsss_cli.nets.layers.bricks import ConvModule, full_precision


class Encoding(nn.Module):
    """e_k = sum_p a_pk (x_p - c_k), a_p = softmax_k(s_k |x_p - c_k|^2).  (B, c, h, w) -> (B, codes, c), in float32."""

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        reach = (channels * codes) ** -0.5
        self.codewords = nn.Parameter(torch.empty(codes, channels).uniform_(-reach, reach))
        self.scale = nn.Parameter(torch.empty(codes).uniform_(-1, 0))

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x):
            pixels, words = x.float().flatten(2).transpose(1, 2), self.codewords  # (B, N, c), (codes, c)
            square = pixels.square().sum(2, keepdim=True) + words.square().sum(1)  # (B, N, codes)
            distance = square - 2 * pixels @ words.T
            share = (self.scale * distance).softmax(2).transpose(1, 2)  # (B, codes, N)
            return share @ pixels - share.sum(2, keepdim=True) * words


class EncModule(nn.Module):
    """The map with its channels raised by up to twice, and the vector v (B, c) that decided how far.

    v = mean_k ReLU(BN(e_k)), out = ReLU(x + x sigmoid(W v)).
    """

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        self.encoding_project = ConvModule(channels, channels)
        self.encoding = nn.Sequential(Encoding(channels, codes), nn.BatchNorm1d(codes), nn.ReLU(inplace=True))
        self.fc = nn.Sequential(nn.Linear(channels, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        v = self.encoding(self.encoding_project(x)).mean(1)  # (B, c)
        return torch.relu(x + x * self.fc(v)[..., None, None]), v


class Enc(ConvSegHead):
    """The last map, its channels weighed -> logits (B, K, h, w) at its stride.

    In training it also says which classes the image holds.  codes: how many codewords;  presence_weight of that loss
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_outputs: int,
        width: int = 512,
        codes: int = 32,
        presence_weight: float = 0.2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(width, num_outputs, dropout)
        self.presence_weight = presence_weight
        self.bottleneck = ConvModule(channels[-1], width, 3)
        self.enc_module = EncModule(width, codes)
        self.se_layer = nn.Linear(width, num_outputs)

    def features(self, levels: Sequence[Tensor]) -> Tensor:
        return self.enc_module(self.bottleneck(levels[-1]))[0]

    def outputs(self, levels: Sequence[Tensor]) -> Outputs:
        features, v = self.enc_module(self.bottleneck(levels[-1]))
        main = self.classify(self.dropout(features))
        return {"main": Map(main), "presence": Presence(self.se_layer(v), self.presence_weight)}
