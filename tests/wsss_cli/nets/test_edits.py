"""Backbones as mmseg has them: what is changed in timm's."""

from typing import Any

import pytest
import torch
from timm.layers import AvgPool2dSame
from torch import nn

from wsss_cli.nets.config import Net, build_backbone


def body(name: str, **settings: Any) -> Any:
    with torch.device("meta"):
        return build_backbone(Net(head="pspnet", backbone=name, pretrained="none", **settings)).body


def dilations(layer: Any) -> list[set[int]]:
    """Of the 3x3 convolutions of each block."""
    convs = ([m for m in block.modules() if isinstance(m, nn.Conv2d)] for block in layer)
    return [{c.dilation[0] for c in found if c.kernel_size == (3, 3)} for found in convs]


def test_res2net_of_pmm() -> None:
    """Dilated in every block of a stage, the first too; no pooling in the shortcut."""
    net = body("res2net50d")
    assert dilations(net.layer2) == [{1}] * 4
    assert dilations(net.layer3) == [{2}] * 6
    assert dilations(net.layer4) == [{4}] * 3
    assert all(c.padding == c.dilation for b in net.layer4 for c in b.convs)
    assert isinstance(net.layer2[0].downsample[0], nn.AvgPool2d)
    assert isinstance(net.layer3[0].downsample[0], nn.Identity)
    assert isinstance(net.layer4[0].downsample[0], nn.Identity)


@pytest.mark.parametrize("name", ["resnet50d", "resnest50d"])
def test_deep_stems_without_pooling(name: str) -> None:
    net = body(name)
    assert not [m for m in net.modules() if isinstance(m, AvgPool2dSame)]
    assert [isinstance(layer[0].downsample[0], nn.Identity) for layer in (net.layer3, net.layer4)] == [True, True]
    if name == "resnet50d":
        assert dilations(net.layer3)[:2] == [{1}, {2}]
        assert dilations(net.layer4) == [{2}, {4}, {4}]
