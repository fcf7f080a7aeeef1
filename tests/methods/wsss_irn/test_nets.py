"""IRN's networks: reference vectors, what trains, other backbones, padding."""

from typing import Any

import pytest
import torch
from torch import Tensor

from name_seeded import seed_by_name
from reference_vectors import vectors
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_irn.checkpoint import CAM, IRN, official_name
from wsss_irn.nets import CamNet, IrnNet, edge_displacement

BACKBONES = [("resnet50", {}), ("resnet101d", {}), ("mobilenetv2_100", {"pad_type": "same"})]


def backbone(name: str = "resnet50", **args: Any) -> Backbone:
    return Backbone(name, 16, dilate=False, args=args)


def close(ours: Tensor, theirs: Any) -> None:
    theirs = torch.as_tensor(theirs)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-3 * theirs.abs().max()


@vectors("beco/irn_nets")
def test_nets_equal_irn(ref: dict[str, Any]) -> None:
    images = torch.tensor(ref["input"])
    cam = CamNet(backbone(), ref["cls_logits"].shape[1]).eval()
    seed_by_name(cam, lambda key: official_name(key, CAM))
    with torch.no_grad():
        close(cam(images), ref["cls_logits"])
        maps = cam.cams(images).relu()
    close(maps[0] + maps[1].flip(-1), ref["cam"])

    irn = IrnNet(backbone()).eval()
    seed_by_name(irn, lambda key: official_name(key, IRN))
    padded = next(k.removeprefix("edge_padded") for k in ref if k.startswith("edge_padded"))
    for name, pad in ((f"padded{padded}", int(padded)), ("nopad", None)):
        edge, displacement = edge_displacement(irn, images[:1], images[1:], pad)
        close(edge[0], ref[f"edge_{name}"])
        close(displacement[0], ref[f"disp_{name}"])


def test_what_trains_in_the_cam_net() -> None:
    net = CamNet(backbone(), 20)
    trained = [p for p in net.parameters() if p.requires_grad]
    assert len(trained) == 88
    assert sum(p.numel() for p in trained) == 14_964_736 + 7_098_368 + 40_960  # layer3, layer4, classifier: 22.10 M
    assert sum(p.numel() for p in net.parameters()) == 23_508_032 + 40_960  # 23.55 M
    net.train()(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(p.grad is not None for p in trained)  # DDP has no unused parameters


def test_without_detach_only_the_stem_is_fixed() -> None:
    net = CamNet(backbone(), 80, detach=False)
    fixed = {k for k, p in net.named_parameters() if not p.requires_grad}
    assert fixed == {f"backbone.body.{k}" for k in ("conv1.weight", "bn1.weight", "bn1.bias")}


def test_what_trains_in_the_irn_net() -> None:
    net = IrnNet(backbone()).train()
    trained = [p for p in net.parameters() if p.requires_grad]
    assert round(sum(p.numel() for p in trained) / 1e6, 3) == 1.395
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 2) == 24.90
    before = {k: v.clone() for k, v in net.backbone.named_buffers()}
    edge, displacement = net(torch.randn(2, 3, 64, 64))
    (edge.sum() + displacement.square().sum()).backward()
    assert all(p.grad is not None for p in trained)
    assert all(torch.equal(v, before[k]) for k, v in net.backbone.named_buffers())


@pytest.mark.parametrize(("name", "args"), BACKBONES)
def test_any_backbone_and_size(name: str, args: dict[str, str]) -> None:
    cam, irn = CamNet(backbone(name, **args), 4).train(), IrnNet(backbone(name, **args)).train()
    x = torch.randn(1, 3, 71, 90)
    with torch.no_grad():
        assert cam(x).shape == (1, 4)
        assert cam.cams(x).shape == (1, 4, 5, 6)
        edge, displacement = irn(x)
    assert (edge.shape, displacement.shape) == ((1, 1, 18, 23), (1, 2, 18, 23))
    assert any(p.requires_grad for p in cam.backbone.parameters())


def test_logits_are_the_mean_of_the_class_maps() -> None:
    net, x = CamNet(backbone("resnet18"), 4).eval(), torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net(x), net.cams(x).mean((2, 3)))


def test_mean_shift_acts_in_eval_only() -> None:
    net, x = IrnNet(backbone("resnet18")), torch.randn(1, 3, 64, 64)
    trained = net.train()(x)[1]
    net.displacement.mean_shift.running_mean.copy_(torch.tensor([1.0, -2.0]))
    assert torch.equal(net(x)[1], trained)
    torch.testing.assert_close(net.eval()(x)[1], trained - torch.tensor([1.0, -2.0])[:, None, None])


def test_padding_leaves_longer_sides_whole() -> None:
    net, x = IrnNet(backbone("resnet18")).eval(), torch.randn(2, 3, 64, 96)
    edge, displacement = edge_displacement(net, x, x.flip(-1), pad=80)
    assert (edge.shape, displacement.shape) == ((2, 1, 16, 24), (2, 2, 16, 24))
    padded, plain = (edge_displacement(net, x, x.flip(-1), pad)[0] for pad in (64, None))
    assert torch.equal(padded, plain)  # nothing to pad
    assert not torch.allclose(edge, plain)


def test_edge_does_not_care_which_is_the_mirror_image() -> None:
    net, x = IrnNet(backbone("resnet18")).eval(), torch.randn(1, 3, 64, 96)
    one, other = edge_displacement(net, x, x.flip(-1), None)[0], edge_displacement(net, x.flip(-1), x, None)[0]
    torch.testing.assert_close(one, other.flip(-1))


def test_four_levels_are_too_few() -> None:
    with pytest.raises(WsssError, match="convnext_atto"):
        IrnNet(backbone("convnext_atto"))
