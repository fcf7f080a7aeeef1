"""BECO's two networks as one module, for training, and their joint prediction."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from wsss_cli.nets.config import Net, build_segmenter

Member = Literal["both", "1", "2"]


class TwoNetworks(nn.Module):
    """Two networks of one configuration that share no weights: images (B, 3, H, W) -> two logits (B, K, h, w).

    With `outputs` True: two dictionaries of all that each learns by, "main" first.
    The pretrained backbones are the same, the decoders are drawn anew: that is all that sets the two apart at first.
    """

    def __init__(self, net: Net, num_outputs: int, trust: bool = False) -> None:
        super().__init__()
        self.network1 = build_segmenter(net, num_outputs, trust)
        self.network2 = build_segmenter(net, num_outputs, trust)

    def forward(self, images: Tensor, outputs: bool = False) -> tuple[Any, Any]:
        return self.network1(images, outputs), self.network2(images, outputs)


class Ensemble(nn.Module):
    """The mean of both networks' logits, or one's alone."""

    def __init__(self, networks: TwoNetworks, member: Member = "both") -> None:
        super().__init__()
        chosen = {"both": (networks.network1, networks.network2), "1": (networks.network1,), "2": (networks.network2,)}
        self.networks = nn.ModuleList(chosen[member])

    def forward(self, images: Tensor) -> Tensor:
        logits = [network(images) for network in self.networks]
        return sum(logits[1:], logits[0]) / len(logits)
