"""CLIP's visual transformer against the released code's, and its weights under every published name."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from timm.layers import Attention
from torch import Tensor

from key_lists import keys
from reference_vectors import vectors
from tiny_clip import NAME, program, state_of, tower_of, weights_beside
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.clip import ClipVisual, attend, mean_gradient
from wsss_cli.nets.clip_net import VIT_B16
from wsss_cli.nets.weights.checking import compare
from wsss_cli.nets.weights.names.clip import openai_name, visual, visual_name
from wsss_cli.nets.weights.pretrained import load_clip

TINY = {"img_size": 64, "embed_dim": 24, "depth": 4, "num_heads": 3}
OFFICIAL = keys("clipes/clip_vit_b16_openai_state_dict")


def tiny(**args: Any) -> ClipVisual:
    torch.manual_seed(0)
    return ClipVisual(NAME, TINY | args, dim=16).eval()


def close(found: Tensor, ref: np.ndarray, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(found.numpy(), ref, rtol=0, atol=tolerance * np.abs(ref).max())


@vectors("clipes/tower")
def test_tokens_attention_and_positions_are_the_released_ones(
    ref: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    for i in (0, 1):
        seen = tower.see(torch.from_numpy(ref[f"x{i}"]))
        close(seen.tokens[-1], ref[f"tokens{i}"])
        close(seen.attention, ref[f"attn{i}"])
        positions = torch.cat(tower.positions(seen.grid), 1)[0]
        np.testing.assert_array_equal(positions.half().numpy(), ref[f"pos_half{i}"])


@vectors("clipes/gradcam")
def test_last_block_is_the_released_one(ref: dict[str, Any], request: pytest.FixtureRequest) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    tokens = torch.from_numpy(ref["tokens"])
    activation = tower.activation(tokens)
    close(tower.last_attention(activation).weights.mean(1), ref["attn_last"])
    close(activation[0, 1:].T.unflatten(1, ref["activation"].shape[1:]), ref["activation"])


def test_maps_that_are_not_asked_for_change_nothing() -> None:
    images = torch.rand(2, 3, 53, 90)  # neither side a multiple of the patch
    tower = tiny()
    whole = tower.see(images)
    assert whole.grid == (3, 5) and whole.attention.shape == (2, 3, 16, 16) and len(whole.tokens) == 3
    for maps in (0, 2, 9):
        seen = tower.see(images, maps)
        torch.testing.assert_close(seen.attention, whole.attention[:, -maps:] if maps else whole.attention[:, :0])
        torch.testing.assert_close(seen.tokens[-1], whole.tokens[-1])


def test_it_is_frozen_and_its_last_block_is_not_without_gradient() -> None:
    tower = tiny()
    assert not any(p.requires_grad for p in tower.parameters())
    tokens = tower.see(torch.rand(1, 3, 32, 32), 0).tokens[-1]
    mixed = tower.last_attention(tower.activation(tokens)).mixed.requires_grad_()
    tower.features(tower.last(tokens, mixed)).sum().backward()
    assert mixed.grad is not None and mixed.grad.abs().sum() > 0


def test_the_mean_gradient_is_that_of_autograd() -> None:
    torch.manual_seed(0)
    attn = Attention(12, num_heads=3, qkv_bias=True)
    x, grad = torch.randn(2, 7, 12, requires_grad=True), torch.randn(2, 7, 12)
    attended = attend(attn, x)
    (whole,) = torch.autograd.grad(attended.mixed, x, grad)
    torch.testing.assert_close(mean_gradient(attn, attended, grad), whole[:, 1:].mean(1), rtol=1e-4, atol=1e-6)


def test_the_official_keys_all_have_a_place() -> None:
    tower = ClipVisual(VIT_B16)  # not on "meta": the oldest timm computes in it
    with torch.device("meta"):
        state = {key: torch.empty(shape) for key, shape in OFFICIAL.items()}
    found = compare(tower, visual(state))
    assert not found.missing + found.mismatched + found.unused
    assert len(found.matched) == sum(k.startswith("visual.") for k in OFFICIAL)


def official(tower: ClipVisual) -> dict[str, Tensor]:
    """Its weights as OpenAI and open_clip keep them, beside some of the text's."""
    state = {f"visual.{openai_name(k)}": v for k, v in tower.state_dict().items()}
    state["visual.class_embedding"] = state["visual.class_embedding"][0, 0]
    state["visual.positional_embedding"] = state["visual.positional_embedding"][0]
    state["visual.proj"] = state["visual.proj"].T
    return state | {"positional_embedding": torch.zeros(77, 16), "logit_scale": torch.tensor(4.6)}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("form", ["openai", "half", "program", "visual", "timm"])
def test_weights_under_every_name(form: str, tmp_path: Path) -> None:
    source = tiny()
    state = official(source)
    if form in ("half", "program"):
        state = {k: v.half() for k, v in state.items()}
    elif form == "visual":
        state = {k.removeprefix("visual."): v for k, v in state.items() if k.startswith("visual.")}
    elif form == "timm":
        state = source.body.state_dict() | {"head.weight": source.proj.weight, "head.bias": torch.zeros(16)}
    if form == "program":
        torch.jit.save(program(state), str(tmp_path / "clip.pt"))
    else:
        torch.save(state, tmp_path / "clip.pt")
    tower = ClipVisual(NAME, TINY, dim=16)
    found = load_clip(tower, str(tmp_path / "clip.pt"))
    assert found is not None and not found.unused
    for key, value in source.state_dict().items():
        torch.testing.assert_close(
            tower.state_dict()[key], value.half().float() if form in ("half", "program") else value
        )


def test_names_there_and_back() -> None:
    for key in OFFICIAL:
        if key.startswith("visual."):
            assert openai_name(visual_name(key.removeprefix("visual."))) == key.removeprefix("visual.")


@pytest.mark.parametrize("more", [{"depth": 3}, {"depth": 5}, {"embed_dim": 48}])
def test_weights_of_another_clip_are_refused(more: dict[str, int], tmp_path: Path) -> None:
    torch.save(official(tiny()), tmp_path / "clip.pt")
    with pytest.raises(WsssError, match=r"clip\.pt does not fit"):
        load_clip(tiny(**more), str(tmp_path / "clip.pt"))


def test_published_weights_that_cannot_be_had_and_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, create = ClipVisual(VIT_B16, TINY), timm.create_model

    def fetched(name: str, pretrained: bool, **args: Any) -> Any:
        if reachable:
            torch.manual_seed(1)
            return create(name, pretrained=False, **args)
        raise OSError("no route to host")

    reachable = False
    monkeypatch.setattr(timm, "create_model", fetched)
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.from_hub", lambda source: nullcontext())
    with pytest.raises(WsssError, match=f"the weights of '{VIT_B16}' could not be downloaded: no route"):
        load_clip(tower, "timm")
    reachable = True
    before = tower.proj.weight.clone()
    found = load_clip(tower, "timm")
    assert found is not None and not found.unused and not torch.equal(tower.proj.weight, before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vit_base_patch16_224", "is no visual transformer of CLIP"),
        ("vit_base_patch16_clip_224.openai", "another activation"),
        ("vit_base_patch61_clip_224", "unknown backbone .*did you mean"),
    ],
)
def test_what_is_no_clip(name: str, said: str) -> None:
    with pytest.raises(WsssError, match=said):
        ClipVisual(name)
