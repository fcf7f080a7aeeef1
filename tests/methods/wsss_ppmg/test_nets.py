"""SEAM's network: sizes, what learns, other backbones, the second view."""

from typing import Any

import pytest
import torch

from wsss_cli.engine.optimiser import body_and_head
from wsss_ppmg.config import Rough, SeamNetwork, SeamOptimiser
from wsss_ppmg.nets import SeamNet, build

SMALL: dict[str, Any] = {"backbone": "test_resnet", "freeze_bn": False, "freeze": None}


@pytest.mark.parametrize(("config", "millions"), [(SeamNetwork(), 52.99), (Rough().net, 105.36)])
def test_the_released_networks(config: SeamNetwork, millions: float) -> None:
    with torch.device("meta"):
        net = build(config, 20)
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 2) == millions
    fixed = {
        name.removeprefix("backbone.body.").split(".")[0] for name, p in net.named_parameters() if not p.requires_grad
    }
    if config.backbone == "scalenet101":
        assert {"conv1", "bn1", "layer1"} <= fixed
        assert {m.dilation for m in net.backbone.modules() if isinstance(m, torch.nn.Conv2d)} == {(1, 1)}
    else:
        assert {"conv1a", "b2", "b2_1", "b2_2", "bn7"} <= fixed
        assert net.backbone.body.b7.conv_branch2b1.dilation == (2, 2)  # type: ignore[union-attr]
        assert net.backbone.body.b6.conv_branch2b1.dilation == (4, 4)  # type: ignore[union-attr]
    learns = {name for name, p in net.named_parameters() if p.requires_grad}
    assert all(name.endswith("weight") and p.dim() == 4 for name, p in net.named_parameters() if name in learns)


@pytest.mark.parametrize(
    ("name", "stride", "cells"),
    [("test_resnet", 8, (9, 12)), ("test_resnet", 16, (5, 6)), ("mobilenetv2_050", 8, (9, 12))],
)
def test_any_backbone(name: str, stride: int, cells: tuple[int, int]) -> None:
    net = build(SeamNetwork(**SMALL | {"backbone": name, "output_stride": stride}), 4)
    images = torch.randn(2, 3, 72, 96)
    cam, features = net.cam_and_features(images)
    assert (cam.shape, features.shape) == ((2, 5, *cells), (2, 192, *cells))
    assert [tuple(x.shape) for x in net(images)] == [(2, 5, 72, 96)] * 2 + [(2, 5, 21, 28)] * 2


def test_the_module_does_not_teach_the_backbone() -> None:
    net = build(SeamNetwork(**SMALL), 4).train()
    net.maps(torch.randn(1, 3, 64, 64)).revised.sum().backward()
    taught = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    assert taught == {"f8_3", "f8_4", "f9"}


def test_every_parameter_learns_from_the_four_maps() -> None:
    """DDP has no unused parameters; what is frozen is not asked."""
    net = build(SeamNetwork(**SMALL | {"freeze": 4, "freeze_bn": True}), 4).train()
    before = {k: v.clone() for k, v in net.backbone.named_buffers()}
    torch.stack([x.square().sum() for x in net(torch.randn(2, 3, 64, 64))]).sum().backward()
    assert all((p.grad is not None) == p.requires_grad for p in net.parameters())
    assert all(torch.equal(v, before[k]) for k, v in net.backbone.named_buffers())


def test_the_optimiser_has_the_released_rates() -> None:
    net: SeamNet = build(SeamNetwork(**SMALL), 4)
    sgd = body_and_head(net, SeamOptimiser())
    body, head = sgd.param_groups
    assert (body["lr"], head["lr"]) == (0.02, 0.2)
    assert {(g["momentum"], g["weight_decay"]) for g in sgd.param_groups} == {(5e-4, 5e-4)}
    assert {id(p) for p in head["params"]} == {id(net.get_submodule(n).weight) for n in ("fc8", "f8_3", "f8_4", "f9")}
