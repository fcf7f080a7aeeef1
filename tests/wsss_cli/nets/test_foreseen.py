"""Names and files that cannot go well are told without a network in memory."""

import argparse
import logging
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from wsss_cli.classifier.config import Network as CamNet
from wsss_cli.classifier.config import Seeds, TagTraining
from wsss_cli.config import Config, StageConfig
from wsss_cli.engine.segment import Segment
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.config import Net
from wsss_cli.nets.foreseen import network_problems
from wsss_cli.single_stage.config import VitNet


class Vit(StageConfig):
    net: VitNet


class Clip(StageConfig):
    net: ClipNet


def stage(kind: type[Config], **net: Any) -> StageConfig:
    made = kind(**net)
    return {Net: Segment, CamNet: Seeds, VitNet: Vit, ClipNet: Clip}[kind](net=made)  # type: ignore[call-arg]


def said(config: StageConfig, trust: bool = False) -> list[str]:
    return [str(problem) for problem in network_problems(config, "train", trust)]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Weights of two tiny networks, and what is none."""
    for name in ("test_resnet", "test_vit"):
        state = timm.create_model(name).state_dict()
        save_file(state, tmp_path / f"{name}.safetensors")
        torch.save(state, tmp_path / f"{name}.pth")
    whole = (tmp_path / "test_resnet.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped.pth").write_bytes(whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:])
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "test_resnet.safetensors").read_bytes()[:-9])
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    torch.save({"model": {}, "args": argparse.Namespace(lr=0.1)}, tmp_path / "code.pth")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "backbone", "message"),
    [
        (Net, "resnt50", "train.net.backbone: unknown backbone 'resnt50'; did you mean 'resnet50'"),
        (CamNet, "resnet50.tv_in1", "train.net.backbone: backbone 'resnet50' has no weights 'tv_in1'; did you mean"),
        (VitNet, "vit_tiny_patch16_225", "train.net.backbone: unknown backbone 'vit_tiny_patch16_225'; did you mean"),
        (ClipNet, "vit_base_patch16_clip_224.opnai", "has no weights 'opnai'"),
        (Net, "mit_b9", "train.net.backbone: unknown backbone 'mit_b9'; did you mean 'mit_b"),
        (Net, "scalenet101", "there are no weights of 'scalenet101' that can be downloaded"),
        (Net, "resnet200", "timm has no weights for 'resnet200'"),
    ],
)
def test_names(kind: type[Config], backbone: str, message: str) -> None:
    (told,) = said(stage(kind, backbone=backbone))
    assert message in told and len(told) < 1000


@pytest.mark.parametrize(
    ("kind", "backbone", "args", "message"),
    [
        (Net, "test_resnet", {"backbone_args": {"in_chans": 4}}, "in_chans 4 does not fit images, which have 3"),
        (Net, "test_resnet", {"backbone_args": {"blocks": 1}}, "unexpected keyword argument 'blocks'"),
        (Net, "test_resnet", {"head_args": {"dropout": 5}}, "'dropout': 5}: dropout probability has to be between"),
        (Net, "test_resnet", {"head_args": {"dropuot": 0}}, "has no option 'dropuot'; did you mean 'dropout'"),
        (CamNet, "test_resnet", {"backbone_args": {"in_chans": 1}}, "in_chans 1 does not fit"),
        (VitNet, "test_vit", {"backbone_args": {"in_chans": 1}}, "in_chans 1 does not fit"),
        (VitNet, "test_vit", {"backbone_args": {"depht": 1}}, "unexpected keyword argument 'depht'"),
        (Net, "test_resnet", {"head_args": {"dropout": 0.5}}, ""),
        (VitNet, "test_vit", {"backbone_args": {"depth": 1}}, "has 1 blocks, and no block -3"),
        (VitNet, "test_vit", {"backbone_args": {"depth": 1}, "inner_block": -1}, ""),
    ],
)
def test_arguments(kind: type[Config], backbone: str, args: dict[str, Any], message: str) -> None:
    told = said(stage(kind, backbone=backbone, pretrained="none", **args))
    assert (len(told) == 1 and message in told[0]) if message else not told


@pytest.mark.parametrize(
    ("kind", "backbone", "file", "message"),
    [
        (Net, "test_resnet", "cut.pth", "is damaged"),
        (Net, "test_resnet", "flipped.pth", "is damaged"),
        (CamNet, "test_resnet", "cut.safetensors", "is damaged"),
        (VitNet, "test_vit", "page.pth", "is damaged"),
        (Net, "test_resnet", "code.pth", "pass --trust-checkpoint"),
        (Net, "test_resnet", "test_vit.pth", "test_vit.pth does not fit backbone 'test_resnet'"),
        (CamNet, "resnet18", "test_resnet.pth", "test_resnet.pth is of another network than 'resnet18'"),
        (VitNet, "test_vit", "test_resnet.safetensors", "does not fit backbone 'test_vit'"),
        (ClipNet, "vit_base_patch16_clip_quickgelu_224", "test_vit.pth", "does not fit"),
    ],
)
def test_files(files: Path, kind: type[Config], backbone: str, file: str, message: str) -> None:
    (told,) = said(stage(kind, backbone=backbone, pretrained=str(files / file)))
    assert message in told


@pytest.mark.parametrize(
    ("kind", "backbone", "file"),
    [
        (Net, "test_resnet", "test_resnet.pth"),
        (CamNet, "test_resnet", "test_resnet.safetensors"),
        (VitNet, "test_vit", "test_vit.pth"),
        (Net, "test_resnet", "none"),
        (Net, "mobilenetv2_100", "timm"),
        (Net, "tf_efficientnet_lite0", "timm"),
        (Net, "resnet101_caffe", "timm"),
    ],
)
def test_what_fits_is_not_spoken_of(
    files: Path, kind: type[Config], backbone: str, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    value = file if file in ("none", "timm") else str(files / file)
    with caplog.at_level(logging.INFO, "wsss"):
        assert said(stage(kind, backbone=backbone, pretrained=value)) == [] and caplog.text == ""


def test_a_trained_network_that_is_given_begins_from_nothing(files: Path) -> None:
    net = CamNet(backbone="scalenet101")
    assert said(Seeds(net=net)) != []
    assert said(Seeds(net=net, training=TagTraining(checkpoint=str(files / "test_vit.pth")))) == []
