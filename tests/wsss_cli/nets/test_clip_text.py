"""Sentences for classes, and their features: kept, given, random, computed, or one line that says what is missing."""

import builtins
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from tiny_clip import program, state_of
from wsss_cli.errors import WsssError
from wsss_cli.nets.clip_names import Names, prompts
from wsss_cli.nets.clip_text import keep, text_features

VOC = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
CLASSES = ("disc", "Sky", "ring")
KEPT = Path("none.npz")


@vectors("clipes/tokens")
def test_sentences_are_the_released_ones(ref: dict[str, Any]) -> None:
    if len(ref["fg"]) != len(VOC):
        pytest.skip("the classes of COCO are in no package")
    called, others = prompts(Names(spellings="voc"), VOC)
    assert called == [ref["template"].format(x) for x in ref["fg"]]
    assert others == [ref["template"].format(x) for x in ref["bg"]]
    tokens = pytest.importorskip("open_clip").tokenize([*called, *others])
    np.testing.assert_array_equal(tokens, ref["tokens"])


@vectors("clipes/text")
def test_open_clips_features_are_the_released_ones(ref: dict[str, Any]) -> None:
    open_clip = pytest.importorskip("open_clip")
    state = state_of(ref)
    vocabulary, width = state["token_embedding.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer."))
    text = {"vocab_size": vocabulary, "width": width, "heads": ref["heads"], "layers": layers}
    vision = {"width": 32, "layers": 1, "head_width": 16}
    model = open_clip.CLIP(state["text_projection"].shape[1], vision, text, quick_gelu=True).eval()
    lacking, unknown = model.load_state_dict(state, strict=False)
    assert not unknown and all(k == "logit_scale" or k.startswith("visual.") for k in lacking)
    with torch.no_grad():
        found = model.encode_text(torch.from_numpy(ref["tokens"]))
    np.testing.assert_allclose(found, ref["feature"], rtol=0, atol=1e-5 * np.abs(ref["feature"]).max())
    one = torch.nn.functional.normalize(found, dim=1)
    np.testing.assert_allclose(one, ref["zeroshot_one_template"], rtol=0, atol=1e-5)
    two = torch.nn.functional.normalize(one + one.roll(-1, 0), dim=1)  # which nothing here offers
    np.testing.assert_allclose(two, ref["zeroshot_two_templates"], rtol=0, atol=1e-5)


def test_own_classes_are_called_as_they_are_or_as_asked() -> None:
    called, others = prompts(Names(names={"ring": "a ring"}, template="{}!"), CLASSES)
    assert called == ["disc!", "Sky!", "a ring!"]
    assert "sky!" not in others and len(others) == 24  # a class is no background
    assert prompts(Names(spellings="coco"), ("tv", "thing"))[0][0] == "a clean origami tvmonitor screen."


def test_random_features_are_the_same_for_a_sentence() -> None:
    names = Names(features="random")
    classes, background = text_features(names, CLASSES, 16, KEPT)
    assert classes.shape == (3, 16) and background.shape == (24, 16)
    assert torch.equal(text_features(names, CLASSES[::-1], 16, KEPT)[0], classes.flip(0))
    torch.testing.assert_close(classes.norm(dim=1), torch.ones(3))


def test_what_is_kept_needs_no_text_transformer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = text_features(Names(features="random"), CLASSES, 16, KEPT)
    keep(tmp_path / "text.npz", Names(), CLASSES, features)
    monkeypatch.setattr("wsss_cli.nets.clip_text._computed", None)
    for names in (Names(), Names(features=str(tmp_path / "text.npz"))):
        found = text_features(names, CLASSES, 16, tmp_path / "text.npz")
        assert all(torch.equal(a, b) for a, b in zip(found, features))
    with pytest.raises(WsssError, match=r"no features of 'a clean origami star\.'"):
        text_features(Names(), ("star",), 16, tmp_path / "text.npz")
    with pytest.raises(WsssError, match="have 16 dimensions, those of images 512"):
        text_features(Names(), CLASSES, 512, tmp_path / "text.npz")


def test_a_name_for_no_class(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="unknown class 'dics'; did you mean 'disc'"):
        prompts(Names(names={"dics": "x"}), CLASSES)
    (tmp_path / "bad.npz").write_bytes(b"x")
    with pytest.raises(WsssError, match="holds no text features"):
        text_features(Names(features=str(tmp_path / "bad.npz")), CLASSES, 16, KEPT)


def test_without_open_clip_or_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "open_clip":
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        with pytest.raises(WsssError, match="open_clip, which is not installed") as said:
            text_features(Names(), CLASSES, 512, KEPT)
    assert 'pip install "wsss[clip]"' in str(said.value)


def test_computed_by_open_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights, for none can be had here; what it says when they cannot."""
    open_clip = pytest.importorskip("open_clip")
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-16-quickgelu", text_cfg=open_clip.CLIPTextCfg(width=64, heads=2, layers=1))
    monkeypatch.setattr(open_clip, "create_model", lambda *args, **kwargs: model)
    monkeypatch.setattr("wsss_cli.nets.clip_text.from_hub", lambda source: nullcontext())
    classes, background = text_features(Names(), CLASSES, 512, KEPT)
    assert classes.shape == (3, 512) and len(background) == 24
    torch.testing.assert_close(classes.norm(dim=1), torch.ones(3))

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("no route to host\nmore")

    monkeypatch.setattr(open_clip, "create_model", fail)
    with pytest.raises(WsssError, match="'openai' of 'ViT-B-16-quickgelu' could not be had: no route to host"):
        text_features(Names(), CLASSES, 512, KEPT)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_computed_from_openais_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_clip = pytest.importorskip("open_clip")
    torch.manual_seed(0)
    small = {"width": 32, "layers": 1}
    config = {"embed_dim": 16, "vision_cfg": {**small, "head_width": 16}, "text_cfg": {**small, "heads": 2}}
    model = open_clip.CLIP(**config).eval()
    sizes = {name: torch.tensor(1) for name in ("input_resolution", "context_length", "vocab_size")}
    torch.jit.save(program(model.state_dict() | sizes), str(tmp_path / "ViT-B-16.pt"))
    monkeypatch.setattr(open_clip, "get_model_config", lambda name: config)
    found, _ = text_features(Names(weights=str(tmp_path / "ViT-B-16.pt")), CLASSES, 16, KEPT)
    with torch.no_grad():
        expected = model.encode_text(open_clip.tokenize([f"a clean origami {name}." for name in CLASSES]))
    torch.testing.assert_close(found, torch.nn.functional.normalize(expected, dim=1))
