"""Pretrained backbones: files of the whole model, of mmcls, of other networks; a hub that cannot be reached."""

import logging
from contextlib import nullcontext
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.weights import fetching
from wsss_cli.nets.weights.fetching import hub_file
from wsss_cli.nets.weights.names.mmcls import MMCLS_RESNETD
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.nets.weights.renaming import inverse, rename

SAME = {"pad_type": "same"}


@pytest.mark.parametrize(
    ("name", "args", "unused"),
    [("mobilenetv2_100", SAME, 7), ("resnet18.tv_in1k", {}, 2), ("convnext_atto", {}, 4), ("xception65", {}, 2)],
)
def test_file_of_the_whole_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, args: dict[str, str], unused: int
) -> None:
    model = timm.create_model(name, **args).eval()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    backbone = Backbone(name, 32, args=args).eval()
    with caplog.at_level(logging.INFO, logger="wsss"):
        found = load_pretrained(backbone, str(tmp_path / "w.safetensors"))
    total = sum("num_batches" not in k for k in backbone.state_dict())
    assert found is not None
    assert len(found.matched) == total
    loaded = f"{name}: {total} of {total} backbone tensors loaded from {tmp_path}/w.safetensors"
    assert caplog.messages == [f"{loaded} ({unused} classifier tensors unused)"]
    if not hasattr(model, "forward_intermediates"):
        pytest.skip("this timm has it not for Xception")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(backbone(x)[-1], model.forward_intermediates(x, intermediates_only=True)[-1])


def test_none_leaves_it_random() -> None:
    backbone = Backbone("resnet18")
    before = backbone.body.conv1.weight.clone()
    assert load_pretrained(backbone, "none") is None
    assert torch.equal(backbone.body.conv1.weight, before)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet34", "is of another network than 'resnet18': 'layer1.2.conv1.weight'"),
        ("resnet50", "does not fit backbone 'resnet18'|another network"),
        ("resnet18d", "does not fit backbone 'resnet18'|another network"),
    ],
)
def test_file_of_another_network(tmp_path: Path, name: str, message: str) -> None:
    torch.save(timm.create_model(name).state_dict(), tmp_path / "w.pth")
    with pytest.raises(WsssError, match=message):
        load_pretrained(Backbone("resnet18"), str(tmp_path / "w.pth"))


def mmcls(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that mmcls would save of timm's resnet*d."""
    theirs = {rename(k, inverse(MMCLS_RESNETD)): v for k, v in state.items()}
    return {k.replace("fc.", "head.fc.") if k.startswith("fc.") else f"backbone.{k}": v for k, v in theirs.items()}


def test_file_of_mmcls(tmp_path: Path) -> None:
    model = timm.create_model("resnet26d")
    state = mmcls(model.state_dict())
    assert {"backbone.stem.2.conv.weight", "backbone.layer1.0.downsample.1.bias", "head.fc.weight"} <= set(state)
    assert "backbone.layer1.0.downsample.2.bias" not in state
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "w.pth")
    backbone = Backbone("resnet26d")
    found = load_pretrained(backbone, str(tmp_path / "w.pth"))
    assert found is not None
    assert found.unused == ("fc.weight", "fc.bias")
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in backbone.body.state_dict().items())


def test_the_key_map_is_one_to_one() -> None:
    keys = list(timm.create_model("resnet26d", features_only=True).state_dict())
    theirs = [rename(k, inverse(MMCLS_RESNETD)) for k in keys]
    assert len(set(theirs)) == len(keys)
    assert [rename(k, MMCLS_RESNETD) for k in theirs] == keys


def test_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WsssError) as caught:
        load_pretrained(Backbone("resnet18.tv_in1k"), "timm")
    assert "weights of 'resnet18.tv_in1k' could not be downloaded" in caught.value.what
    assert "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors" in caught.value.remedy
    assert "--pretrained resnet18.tv_in1k=FILE" in caught.value.remedy


def test_hub_weights_go_the_way_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    create, backbone = timm.create_model, Backbone("mobilenetv2_100", args=SAME)
    model = create("mobilenetv2_100")
    asked = []

    def fake(name: str, **args: object) -> torch.nn.Module:
        asked.append((name, args))
        return model

    monkeypatch.setattr(timm, "create_model", fake)
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.from_hub", lambda source: nullcontext())
    found = load_pretrained(backbone, "timm")
    assert asked == [("mobilenetv2_100", {"pretrained": True, **SAME})]
    assert found is not None
    assert torch.equal(backbone.body.conv_stem.weight, model.conv_stem.weight)


def test_hub_file() -> None:
    assert hub_file("mobilenetv2_100") == "timm/mobilenetv2_100.ra_in1k/model.safetensors"
    assert hub_file("resnet50.tv_in1k") == "timm/resnet50.tv_in1k/model.safetensors"
    nothing = next(n for n in timm.list_models("mobilenetv2*") if not timm.get_pretrained_cfg(n).has_weights)
    with pytest.raises(WsssError, match=rf"timm has no weights for '{nothing}'"):
        load_pretrained(_named(nothing), "timm")


def _named(name: str) -> Backbone:
    with torch.device("meta"):
        return Backbone(name, 32)


@pytest.mark.parametrize("here", [True, False])
def test_the_hub_is_asked_nothing_of_weights_that_are_here(here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(fetching, "is_cached", lambda source: here)
    monkeypatch.setattr(fetching, "unreachable", lambda urls: [""])
    with fetching.from_hub("timm/some/model.safetensors"):
        assert fetching.constants.is_offline_mode() == here
    assert not fetching.constants.is_offline_mode()
