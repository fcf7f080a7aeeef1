"""Transformers that see a convolutional network's maps as patches."""

import pytest
import torch

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.stem import Stem
from wsss_cli.nets.config import StemNet
from wsss_cli.nets.foreseen import network_problems
from wsss_cli.nets.normalisation import HALF
from wsss_cli.single_stage.build import build_single_stage
from wsss_cli.single_stage.config import VitNet
from wsss_toco.config import Train

TINY = {"img_size": 64, "depth": 2, "embed_dim": 32, "num_heads": 2, "class_token": True}
CNN = StemNet(backbone="test_resnet", pretrained="none")


def hybrid(**stem: object) -> VitNet:
    net = {
        "backbone": "vit_tiny_patch16_224",
        "backbone_args": TINY,
        "pretrained": "none",
        "inner_block": -2,
        "width": 8,
    }
    return VitNet(**net, stem=CNN.model_copy(update=stem))


@pytest.mark.parametrize("size", [(64, 64), (48, 79), (17, 31)])
def test_as_many_patches_as_the_image_would_have(size: tuple[int, int]) -> None:
    features = build_single_stage(hybrid(), 3).encoder(torch.randn(2, 3, *size))
    assert features.patches.shape == features.inner.shape == (2, 32, size[0] // 16, size[1] // 16)


def test_too_small_an_image_is_refused_as_without_it() -> None:
    with pytest.raises(WsssError, match="holds no patch of 16 pixels"):
        build_single_stage(hybrid(), 3).encoder(torch.randn(1, 3, 15, 40))


def test_patches_are_the_last_map_projected() -> None:
    stem = Stem(Backbone("test_resnet", 16), 8).eval()
    images = torch.randn(2, 3, 40, 64)
    expected = stem.proj(stem.backbone(images)[-1])[:, :, :2]
    assert torch.allclose(stem(images), expected, atol=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_one_stays_as_it_is(frozen: bool) -> None:
    net = build_single_stage(hybrid(frozen=frozen), 3).train()
    stem = net.encoder.body.patch_embed.proj
    before = {key: value.clone() for key, value in stem.backbone.state_dict().items()}
    net(torch.randn(2, 3, 64, 64)).tags.sum().backward()
    assert stem.proj.weight.grad is not None
    assert all((p.grad is None) == frozen for p in stem.backbone.parameters())
    assert all(torch.equal(value, before[key]) for key, value in stem.backbone.state_dict().items()) == frozen


def test_it_is_rebuilt_from_its_settings() -> None:
    """By the normalisation of its own weights, and without fetching any."""
    net = hybrid(normalise="half")
    built = build_single_stage(net, 3).eval()
    stored = VitNet.stored({"net": net.told()}).untrained()
    assert stored.stem is not None and stored.stem.pretrained == "none" and stored.stem.normalise == HALF
    again = build_single_stage(stored, 3).eval()
    again.load_state_dict(built.state_dict())
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(again.segmentation(images), built.segmentation(images))
    other = build_single_stage(hybrid(normalise="imagenet"), 3).eval()
    other.load_state_dict(built.state_dict())
    assert not torch.equal(other.segmentation(images), built.segmentation(images))


@pytest.mark.parametrize(
    ("stem", "message"),
    [
        ({"backbone": "test_resnat", "pretrained": "none"}, "train.net.stem.backbone: unknown backbone 'test_resnat'"),
        ({"backbone": "resnet200"}, "timm has no weights for 'resnet200'"),
    ],
)
def test_its_name_and_weights_are_checked_before_work(stem: dict[str, str], message: str) -> None:
    config = Train.model_validate({"net": {"pretrained": "none", "stem": stem}})
    assert message in " ".join(str(problem) for problem in network_problems(config, "train"))
