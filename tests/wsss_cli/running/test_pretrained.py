"""`--pretrained` says once where every network begins from."""

from pathlib import Path
from typing import Any

import pytest

from made_run import drawn_data
from wsss_cli.commands import stage
from wsss_cli.commands.options import RunOptions
from wsss_cli.config import flat
from wsss_cli.errors import WsssError
from wsss_cli.plugins import method
from wsss_cli.running import target as running
from wsss_cli.running.pretrained import pretrained_settings
from wsss_cli.runs import Run, Settings

MASKS = {"train": {"labels": "masks"}}


def settings(name: str, *asked: str, recipe: str | None = None, **set_: Any) -> dict[str, Any]:
    return flat(pretrained_settings(method(name), Settings(recipe, set_ or None), "", asked))


@pytest.mark.parametrize(
    ("name", "recipe", "asked", "keys"),
    [
        ("irn", "mobile", "w.pth", ("seeds.net", "train.net")),
        ("irn", "mobile", "tf_efficientnet_lite0=w.pth", ("seeds.net", "train.net")),
        ("irn", None, "resnet101d=w.pth", ("train.net",)),
        ("irn", None, "resnet50=w.pth", ("seeds.net",)),  # with or without the tag of its weights
        ("irn", None, "resnet50.tv_in1k=w.pth", ("seeds.net",)),
        ("irn", None, "none", ("seeds.net", "train.net")),
        ("toco", None, "w.pth", ("train.net",)),
        ("bcm", None, "w.pth", ("train.net",)),
        ("clipes", None, "w.pth", ("train.net",)),  # not CLIP's
        ("weclip", None, "vit_base_patch16_clip_quickgelu_224=clip.pt", ("train.net",)),
    ],
)
def test_the_networks_that_a_file_is_for(name: str, recipe: str | None, asked: str, keys: tuple[str, ...]) -> None:
    value = asked.rpartition("=")[2]
    assert settings(name, asked, recipe=recipe) == {f"{key}.pretrained": value for key in keys}


def test_each_network_its_file() -> None:
    found = settings("irn", "resnet50=a.pth", "resnet101d=b.pth")
    assert found == {"seeds.net.pretrained": "a.pth", "train.net.pretrained": "b.pth"}


def test_of_the_stages_that_are_needed() -> None:
    assert settings("irn", "w.pth", **MASKS) == {"train.net.pretrained": "w.pth"}


def test_what_begins_from_nothing_on_purpose_stays() -> None:
    set_ = {"seeds": {"net": {"pretrained": "none"}}}
    assert settings("irn", "w.pth", recipe="mobile", **set_) == {"train.net.pretrained": "w.pth"}
    assert settings("irn", "w.pth", recipe="shapes").keys() == {"seeds.net.pretrained", "train.net.pretrained"}


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("irn", "w.pth", r"no file is of all these networks: resnet101d \(train.net\), resnet50.tv_in1k \(seeds.net\)"),
        ("irn", "w.pth", "give one for each: --pretrained resnet101d=FILE --pretrained resnet50.tv_in1k=FILE"),
        ("irn", "resnet101=w.pth", "is 'resnet101'; did you mean 'resnet101d'"),
        ("weclip", "w.pth", "no network of method 'weclip' begins from ImageNet weights"),
    ],
)
def test_a_file_that_can_be_of_no_network_is_refused(name: str, asked: str, message: str) -> None:
    with pytest.raises(WsssError, match=message):
        settings(name, asked)


def test_the_command_keeps_them_and_what_is_set_by_key_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "find_run", lambda *named: Run(tmp_path, "toy", "irn", "default"))
    monkeypatch.setattr(running, "read_prepared", lambda folder: drawn_data(tmp_path))
    monkeypatch.chdir(tmp_path)
    options = RunOptions(recipe="mobile", pretrained=["w.pth"], set=["seeds.net.pretrained=own.pth"])
    with pytest.raises(WsssError, match=r"^--pretrained w.pth: there is no file w.pth\n"):  # once, of two stages
        stage.resolve_target("train", ["irn"], options, {}, {})
    Path("w.pth").touch()
    target = stage.resolve_target("train", ["irn"], options, {}, {})
    expected = {"seeds.net.pretrained": "own.pth", "train.net.pretrained": "w.pth"}
    assert flat(target.saved.overrides or {}) == flat(target.settings.overrides or {}) == expected
