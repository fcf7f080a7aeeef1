"""Backbones: pyramids, dilation, the edits that papers need, freezing, messages."""

import copy

import pytest
import torch
from torch import nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone, freeze_batchnorm, mmcls_resnetd, uniform_dilation

PYRAMIDS = [
    ("mobilenetv2_100", {"pad_type": "same"}),
    ("resnet18d", {}),
    ("resnet18.tv_in1k", {}),
    ("convnext_atto", {}),
    ("regnetx_002", {}),
    ("mit_b0", {"drop_path_rate": 0.0}),
]


@pytest.mark.parametrize(("name", "args"), PYRAMIDS)
@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("dilate", [True, False])
def test_maps_have_the_promised_shapes(name: str, args: dict[str, str], stride: int, dilate: bool) -> None:
    backbone = Backbone(name, stride, dilate, args).eval()
    with torch.no_grad():
        levels = backbone(torch.randn(1, 3, 64, 96))
    shapes = [(c, 64 // s, 96 // s) for c, s in zip(backbone.channels, backbone.strides, strict=True)]
    assert [tuple(x.shape[1:]) for x in levels] == shapes
    dilated = [
        m for m in backbone.modules() if isinstance(m, nn.Conv2d) and m.dilation != (1, 1) and m.kernel_size != (2, 2)
    ]
    assert bool(dilated) == (dilate and stride < 32 and name != "mit_b0")


def test_channels_come_first() -> None:
    swin = Backbone("swin_tiny_patch4_window7_224", 32, args={"strict_img_size": False, "depths": (1, 1, 1, 1)}).eval()
    assert [x.shape[1] for x in swin(torch.randn(1, 3, 64, 96))] == list(swin.channels)


def test_undilated_layer_is_a_resnet_with_stride_1() -> None:
    """IRN's "stride 1 in layer4": the network of output stride 32 with each stride of layer4 set to 1."""
    torch.manual_seed(0)
    ours = Backbone("resnet26d", 16, dilate=False).eval()
    plain = Backbone("resnet26d", 32).eval()
    plain.load_state_dict(ours.state_dict())
    first = plain.body.layer4[0]
    first.conv2.stride, first.downsample[0] = (1, 1), nn.Identity()
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(x)[-1], plain(x)[-1])


@pytest.mark.parametrize(
    ("stride", "dilations", "pooled"), [(16, [2, 4, 8], 1), (8, [4, 8, 16], 1), (32, [1, 1, 1], 3)]
)
def test_resnetd_of_mmcls(stride: int, dilations: list[int], pooled: int) -> None:
    with torch.device("meta"):
        backbone = Backbone("resnet50d", stride)
        assert mmcls_resnetd(backbone) == (stride < 32)
    layers = [getattr(backbone.body, f"layer{i}") for i in (1, 2, 3, 4)]
    assert [b.conv2.dilation[0] for b in layers[3]] == dilations
    assert [b.conv2.padding[0] for b in layers[3]] == dilations
    pools = [not isinstance(layer[0].downsample[0], nn.Identity) for layer in layers]
    assert pools == [False, True, stride >= 16, stride == 32]


@pytest.mark.parametrize("name", ["resnet26", "resnet18", "seresnext26d_32x4d", "mobilenetv2_100"])
@pytest.mark.parametrize(("stride", "wanted"), [(8, [1, 1, 2, 4]), (16, [1, 1, 1, 2]), (32, [1, 1, 1, 1])])
def test_uniform_dilation_is_that_of_the_second_block(name: str, stride: int, wanted: list[int]) -> None:
    # timm starts the last norm of each block from 0, and then its dilation would not show
    args = {"zero_init_last": False} if "res" in name else {}
    plain, backbone = Backbone(name, stride, args=args).eval(), Backbone(name, stride, args=args).eval()
    backbone.load_state_dict(plain.state_dict())
    uniform_dilation(backbone)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before, after = plain(x), backbone(x)
    assert [a.shape for a in before] == [a.shape for a in after]
    assert torch.equal(before[-1], after[-1]) == (stride == 32 or "res" not in name)
    if "res" in name:
        layers = [getattr(backbone.body, f"layer{i}") for i in (1, 2, 3, 4)]
        assert [{b.conv2.dilation[0] for b in layer} for layer in layers] == [{d} for d in wanted]


@pytest.mark.parametrize("name", ["resnet50", "resnet18d", "mobilenetv2_100"])
def test_other_networks_keep_timms_dilation(name: str) -> None:
    with torch.device("meta"):
        assert not mmcls_resnetd(Backbone(name))


@pytest.mark.parametrize("name", ["resnet18d", "mobilenetv2_100", "convnext_atto", "regnetx_002", "mit_b0"])
def test_freeze_is_exactly_what_a_level_depends_on(name: str) -> None:
    backbone = Backbone(name)
    level = backbone.level(8)
    backbone(torch.randn(2, 3, 64, 64))[level].sum().backward()
    reached = {k for k, p in backbone.named_parameters() if p.grad is not None}
    backbone.freeze(level)
    assert reached
    assert {k for k, p in backbone.named_parameters() if not p.requires_grad} == reached


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_100"])
@pytest.mark.parametrize("affine", [False, True])
def test_frozen_batchnorm_survives_train_and_copy(name: str, affine: bool) -> None:
    backbone = Backbone(name)
    freeze_batchnorm(backbone, affine)
    backbone = copy.deepcopy(backbone).train()
    before = {k: v.clone() for k, v in backbone.named_buffers()}
    x = torch.randn(2, 3, 64, 64)
    maps = backbone(x)[-1]
    assert all(torch.equal(v, before[k]) for k, v in backbone.named_buffers())
    assert torch.equal(maps, backbone.eval()(x)[-1])
    assert any("bn" in k and p.requires_grad for k, p in backbone.named_parameters()) != affine


@pytest.mark.parametrize(
    ("name", "stride", "args", "message"),
    [
        ("resnet5O", 16, {}, "unknown backbone 'resnet5O'; did you mean 'resnet50"),
        ("mit_b22", 32, {}, "unknown backbone 'mit_b22'; did you mean 'mit_b2'"),
        ("mit_b0", 32, {"drop_path": 0.1}, "cannot build backbone 'mit_b0' .*'drop_path'"),
        ("resnet50.tv_in1", 16, {}, "no weights 'tv_in1'; did you mean 'resnet50.tv_in1k'"),
        ("vit_tiny_patch16_224", 16, {}, "cannot build backbone 'vit_tiny_patch16_224'"),
        ("vgg11", 16, {}, "cannot build backbone 'vgg11' with output stride 16"),
        ("mobilenetv2_100", 16, {"pad_typ": "same"}, "pad_typ"),
        ("vit_tiny_patch16_224", 32, {}, "ends at stride 16, not 32"),
    ],
)
def test_messages(name: str, stride: int, args: dict[str, str], message: str) -> None:
    with pytest.raises(WsssError, match=message.replace("(", r"\(")):
        Backbone(name, stride, args=args)


def test_missing_level() -> None:
    with pytest.raises(WsssError, match="no level of stride 2"):
        Backbone("convnext_atto").level(2)
