"""The tiny network of the reference vectors: one strided convolution, ASPP, the masking branch."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from wsss_bcm.nets import Masked
from wsss_cli.nets.backbones.backbone import freeze_batchnorm
from wsss_cli.nets.heads.deeplabv2 import DeepLabV2


class OneLayer(nn.Module):
    """A convolution of stride 8, batch norm, ReLU: as a backbone gives its only level."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 7, 8, 3, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.bn(self.conv(x)).relu()]


def renamed(ref: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """The state dict of a vector file, such as "w.base.aspp.c0.weight", under our names."""
    pairs = {"layer1.": "backbone.", "aspp.bcm.": "bcm.", "aspp.c": "head.classifier.convs."}
    state = {}
    for key in ref:
        if key.startswith(f"{prefix}.base."):
            name = key.removeprefix(f"{prefix}.base.")
            theirs = next(t for t in pairs if name.startswith(t))
            state[pairs[theirs] + name.removeprefix(theirs)] = torch.from_numpy(ref[key])
    return state


def tiny(ref: Mapping[str, Any], prefix: str) -> Masked:
    """The network with the weights of a vector file."""
    state = renamed(ref, prefix)
    width, num_outputs = state["backbone.conv.weight"].shape[0], state["bcm.bias"].shape[0]
    net = Masked(OneLayer(width), DeepLabV2((width,), (8,), num_outputs), num_outputs)
    freeze_batchnorm(net.backbone, affine=True)
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"backbone.bn.num_batches_tracked"}
    return net


@pytest.fixture(scope="session")
def tiny_net() -> Any:
    return tiny


@pytest.fixture(scope="session")
def our_names() -> Any:
    return renamed
