"""WideResNet38: sizes, dilations, what freezing reaches, files that keep it under "main"."""

import pytest
import torch

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.wideresnet38 import Block, Bottleneck, from_main


def meta(**args: int) -> Backbone:
    with torch.device("meta"):
        return Backbone("wideresnet38", 8, args=args)


def test_levels() -> None:
    backbone = meta()
    levels = backbone(torch.zeros(1, 3, 64, 96, device="meta"))
    assert backbone.channels == (128, 256, 512, 1024, 4096) and backbone.strides == (2, 4, 8, 8, 8)
    assert [x.shape[1:] for x in levels] == [(c, 64 // s, 96 // s) for c, s in zip(backbone.channels, backbone.strides)]
    assert round(sum(p.numel() for p in backbone.parameters()) / 1e6, 2) == 105.07


def test_the_last_dilation_can_be_chosen() -> None:
    assert meta().body.b7.conv_branch2b1.dilation == (4, 4)
    assert meta(last_dilation=2).body.b7.conv_branch2b1.dilation == (2, 2)


def test_freezing_up_to_stride_2() -> None:
    backbone = meta()
    backbone.freeze(backbone.level(2))
    frozen = {name.split(".")[1] for name, p in backbone.named_parameters() if not p.requires_grad}
    assert frozen == {"conv1a", "b2", "b2_1", "b2_2"}


def test_blocks_by_hand() -> None:
    """x + conv(relu(bn(conv(relu(bn x))))), and the shortcut of what the first batch norm made."""
    same, wider, deep = Block(4, 4, 4).eval(), Block(4, 4, 6, stride=2).eval(), Bottleneck(4, 8, 2, 0.5).eval()
    x = torch.randn(1, 4, 6, 8)
    for block in (same, wider):
        a = block.bn_branch2a(x).relu()
        inner = block.conv_branch2b1(block.bn_branch2b1(block.conv_branch2a(a)).relu())
        expected = (x if block is same else block.conv_branch1(a)) + inner
        torch.testing.assert_close(block(x, block.activated(x)), expected)
    a = deep.bn_branch2a(x).relu()
    y = deep.conv_branch2b1(deep.bn_branch2b1(deep.conv_branch2a(a)).relu())
    torch.testing.assert_close(
        deep(x, deep.activated(x)), deep.conv_branch1(a) + deep.conv_branch2b2(deep.bn_branch2b2(y).relu())
    )


def test_another_output_stride_is_refused() -> None:
    with pytest.raises(WsssError, match="wideresnet38 has no output stride 16"):
        Backbone("wideresnet38", 16)


def test_the_network_under_main() -> None:
    x = torch.zeros(1)
    assert from_main({"main.b2.w": x, "other.w": x}) == {"b2.w": x}
    assert from_main({"b2.w": x}) == {"b2.w": x}
