"""CLIP-ES through every stage on generated data, by the command that a user types."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from forked_tester import ForkedTester
from processes import Wsss
from tiny_shapes import shapes_and_recipe
from wsss_cli.cam.store import read_cam
from wsss_cli.nets.backbones.clip import ClipVisual

TOWER_NAME = "vit_base_patch16_clip_quickgelu_224"
TOWER = {"img_size": 64, "embed_dim": 32, "depth": 4, "num_heads": 2}
SEEDS: dict[str, Any] = {
    "features": "random",
    "net": {"backbone": TOWER_NAME, "backbone_args": TOWER, "pretrained": "none"},
}
RECIPE: dict[str, Any] = {
    "seeds": SEEDS,
    "pseudo": {"crf": {"iterations": 2}},
    "train": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "width": 16, "aspp_rates": [1, 2]},
        "augment": {"crop": 64},
        "loop": {"iterations": 8, "batch": 4},
    },
}


class TestClipEs(ForkedTester):
    """The tower has random weights: the path alone is tried."""

    method = "clipes"
    recipe = RECIPE


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    folder = tmp_path_factory.mktemp("clipes")
    tower = ClipVisual(SEEDS["net"]["backbone"], TOWER)
    torch.manual_seed(0)
    torch.save({"class_embedding": torch.zeros(3)}, folder / "other.pt")
    assert tower.dim == 32
    return shapes_and_recipe(folder, RECIPE)


WORDS = ("seeds", "clipes", "--recipe", "tiny.yaml", "--workers", 0)


def test_seeds_are_one_cell_a_patch_and_texts_are_given_on(wsss: Wsss) -> None:
    made = wsss(*WORDS)
    assert made.code == 0, made.text
    run = wsss.folder / "runs/shapes/clipes"
    cams = {path.name: read_cam(path) for path in (run / "default/seeds/cam").glob("*.npz")}
    assert len(cams) == 12
    for cam in cams.values():
        assert cam.cam.shape == (len(cam.class_ids), *(-(-side // 16) for side in cam.size))
        assert 0 <= cam.cam.min() <= cam.cam.max() <= 1
    text = run / "default/seeds/text.npz"
    again = wsss(*WORDS, "--name", "given", "--set", f"seeds.features={text}", "--set", "seeds.batch=1")
    assert again.code == 0, again.text
    assert (run / "given/seeds/text.npz").exists()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("seeds.names={dics: x}", "unknown class 'dics'; did you mean 'disc'?"),
        ("seeds.features=none.npz", "there is no file none.npz"),
        ("seeds.net.pretrained=none.pt", "there is no file none.pt"),
        ("seeds.net.pretrained=other.pt", "other.pt"),
        ("seeds.net.backbone=vit_tiny_patch16_224", "'vit_tiny_patch16_224' is no visual transformer of CLIP"),
    ],
)
def test_what_cannot_work_is_named(wsss: Wsss, setting: str, said: str) -> None:
    failed = wsss(*WORDS, "--name", f"bad{len(setting)}", "--set", setting)
    assert failed.code == 2 and said in failed.text and "Traceback" not in failed.text


ASKED = ("--set", "seeds.features=open_clip", "--set", "seeds.model=ViT-B-16-quickgelu")


def test_without_open_clip_one_line_tells(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)  # the command is a fork: there an import of it fails
    failed = wsss(*WORDS, "--name", "bare", *ASKED)
    assert failed.code == 2 and told(failed.err) == [
        "error: CLIP's text transformer needs open_clip, which is not installed",
        '  pip install "wsss[clip]", or give features of names: features=FILE',
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ASKED, "error: the weights 'openai' of 'ViT-B-16-quickgelu' could not be had: "),
        (
            ("--set", "seeds.net.pretrained=timm", "--set", f"seeds.net.backbone={TOWER_NAME}.openai"),
            f"error: the weights of '{TOWER_NAME}.openai' could not be downloaded: ",
        ),
    ],
)
def test_without_a_network_one_line_tells(
    wsss: Wsss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: tuple[str, ...], said: str
) -> None:
    if settings == ASKED:
        pytest.importorskip("open_clip")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    failed = wsss(*WORDS, "--name", f"offline{len(said)}", *settings)
    lines = told(failed.err)
    assert failed.code == 2 and len(lines) == 2 and lines[0].startswith(said)
    assert "HF_HUB_OFFLINE is set, and they are not in the cache" in lines[0] and "FILE" in lines[1]


def told(err: str) -> list[str]:
    """From the error on."""
    lines = err.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("error")) :]


def test_a_prompt_file_names_known_classes(wsss: Wsss) -> None:
    words = (*WORDS, "--name", "prompts", "--prompt-file", "words.yaml")
    missing = wsss(*words)
    assert missing.code == 2 and "words.yaml cannot be read: it is missing" in missing.text
    (wsss.folder / "words.yaml").write_text("nothing: x\n", encoding="utf-8")
    unknown = wsss(*words)
    assert unknown.code == 2 and "unknown class 'nothing'" in unknown.text
    (wsss.folder / "words.yaml").write_text("disc: a plate\n", encoding="utf-8")
    known = wsss(*words)
    assert known.code == 0, known.text
    assert "finished already" in wsss(*words).text
    (wsss.folder / "words.yaml").write_text("disc: a coin\n", encoding="utf-8")
    for verb in ("seeds", "train"):  # what the file says is the setting
        assert "names.disc" in wsss(verb, *words[1:], "--dry-run").text
