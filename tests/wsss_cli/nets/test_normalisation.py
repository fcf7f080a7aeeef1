"""How images are normalised for pretrained backbones: as their weights expect, as released, as set; and kept."""

import json
from pathlib import Path

import pytest
import timm
import torch

from wsss_cli.batches.transforms import MEAN, STD, normalise
from wsss_cli.config import resolve
from wsss_cli.engine.segment import Segment
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone, Renormalise
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.normalisation import HALF, Normalisation, normalisations
from wsss_cli.single_stage.config import VitNet

CLIP = Normalisation(mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711))


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (Net(), None),
        (Net(backbone="tf_efficientnet_lite0"), HALF),
        (Net(backbone="resnetv2_50x1_bit", pretrained="a/file.safetensors"), HALF),
        (Net(backbone="resnet50_clip"), CLIP),
        (Net(backbone="resnet50_clip", pretrained="none"), None),
        (Net(backbone="resnet50_clip", normalise="imagenet"), None),
        (Net(normalise="half"), HALF),
        (Net(normalise=CLIP), CLIP),
        (Net(backbone="resnet101_caffe"), None),  # it changes to Caffe's values itself
        (Net(backbone="no_such_network"), None),
        (VitNet(backbone="vit_base_patch16_224.orig_in21k_ft_in1k"), None),  # as ToCo's family released it
        (VitNet(backbone="deit_base_patch16_224.fb_in1k"), None),
        (VitNet(backbone="vit_small_patch16_224"), HALF),
    ],
)
def test_auto_is_what_the_weights_expect_but_the_papers_own(net: Net | VitNet, expected: Normalisation | None) -> None:
    assert net.normalisation() == expected


def test_every_published_backbone_gets_the_values_of_its_record() -> None:
    """Only the records are read: nothing is downloaded."""
    others = 0
    for name in timm.list_models():
        cfg = timm.get_pretrained_cfg(name)
        if cfg is not None and cfg.has_weights:
            own = Net(backbone=name).normalisation()
            assert ((own.mean, own.std) if own else (MEAN, STD)) == (tuple(cfg.mean), tuple(cfg.std)), name
            others += own is not None
    assert others >= 150


@pytest.mark.parametrize("nested", [True, False])
def test_a_file_brings_its_own(tmp_path: Path, nested: bool) -> None:
    values = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": values} if nested else values))
    assert Net(pretrained=str(tmp_path / "model.safetensors")).normalisation() == HALF
    (tmp_path / "config.json").write_text('{"mean": "grey"}')
    assert Net(pretrained=str(tmp_path / "model.safetensors")).normalisation() is None


def test_images_reach_the_first_layer_by_these_values() -> None:
    levels = torch.randint(0, 256, (1, 32, 32, 3), dtype=torch.uint8)
    wanted = (levels.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
    torch.testing.assert_close(Renormalise(HALF)(normalise(levels)), wanted)
    for make in (lambda n: Backbone("test_resnet", 32, normalise=n), lambda n: ViT("test_vit", normalise=n)):
        plain, own = make(None).eval(), make(HALF).eval()
        own.load_state_dict(plain.state_dict())  # the same names: checkpoints stay what they are
        with torch.no_grad():
            found, expected = own(normalise(levels)), plain(wanted)
        torch.testing.assert_close(found[-1], expected[-1], rtol=1e-4, atol=1e-4)


def test_a_checkpoint_tells_it_and_older_ones_mean_imagenet() -> None:
    own = Net(backbone="resnet50_clip")
    assert Net.stored({"net": own.told()}).untrained().normalisation() == CLIP
    older = {key: value for key, value in own.told().items() if key != "normalise"}
    assert Net.stored({"net": older}).normalisation() is None
    assert "normalise" not in Net(backbone="resnet50").told()
    assert own.official().normalisation() is None
    assert (
        build_segmenter(Net(backbone="test_resnet", normalise="half").untrained(), 3).backbone.entry.scale.numel() == 3
    )


def test_the_record_names_it() -> None:
    found = normalisations(Segment(net=Net(backbone="tf_efficientnet_lite0")))
    assert found == {"net": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}


@pytest.mark.parametrize("value", ["grey", {"mean": [0.5]}, {"mean": [0, 0, 0], "std": [0, 1, 1]}, 3])
def test_other_values_are_one_line(value: object) -> None:
    with pytest.raises(WsssError, match=r"'train\.net\.normalise' = .*must be auto, imagenet, half, or"):
        resolve(Segment, "train", {"net": {"normalise": value}})
