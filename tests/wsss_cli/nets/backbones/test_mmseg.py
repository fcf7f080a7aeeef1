"""Backbones as mmseg has them: what is changed in timm's."""

from typing import Any

import pytest
import torch
from timm.layers import AvgPool2dSame
from timm.models.hrnet import HighResolutionModule
from torch import nn

from wsss_cli.nets.backbones.mmseg import AnySizeModule
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


def test_mobilenet_dilates_the_first_block_of_a_stage() -> None:
    blocks = body("mobilenetv2_100").blocks
    assert [[block.conv_dw.dilation[0] for block in stage] for stage in blocks] == [
        [1],
        [1, 1],
        [1, 1, 1],
        [2, 1, 1, 1],
        [2, 1, 1],
        [4, 1, 1],
        [4],
    ]
    assert all(b.conv_dw.padding == b.conv_dw.dilation for stage in blocks for b in stage)


def test_hrnet_sums_its_branches_at_any_size() -> None:
    torch.manual_seed(0)
    backbone = build_backbone(Net(head="fcn_hr", backbone="hrnet_w18_small_v2", pretrained="none")).eval()
    assert backbone.channels == (64, 18, 36, 72, 144)
    assert backbone.strides == (2, 4, 8, 16, 32)
    module = backbone.body.stage3[0]
    assert isinstance(module, AnySizeModule)
    maps = [torch.randn(1, c, 16 >> i, 24 >> i) for i, c in enumerate((18, 36, 72))]
    with torch.no_grad():
        ours, theirs = (
            module([x.clone() for x in maps]),
            HighResolutionModule.forward(module, [x.clone() for x in maps]),
        )
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
        nearest = [m for m in module.modules() if isinstance(m, nn.Upsample)]
        assert {(m.mode, m.align_corners) for m in nearest} == {("bilinear", False)}
        sizes = [x.shape[2:] for x in backbone(torch.randn(1, 3, 41, 70))]
    assert [tuple(s) for s in sizes] == [(21, 35), (11, 18), (6, 9), (3, 5), (2, 3)]


def test_other_heads_keep_timms_backbones() -> None:
    with torch.device("meta"):
        mobile = build_backbone(Net(head="deeplabv2", backbone="mobilenetv2_100", pretrained="none")).body
        res2net = build_backbone(Net(backbone="res2net50d", pretrained="none")).body
    assert [block.conv_dw.dilation[0] for block in mobile.blocks[3]] == [1, 2, 2, 2]
    assert isinstance(res2net.layer4[0].downsample[0], AvgPool2dSame)
    assert dilations(res2net.layer4) == [{1}, {2}, {2}]
