"""Vision transformers, the decoder, the projection head and the whole network against the released code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from formula_weights import by_formula
from reference_vectors import vectors
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.nets.heads.projector import Projector
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.single_stage.network import Segmentation, SingleStage

TINY = {"img_size": 64, "embed_dim": 48, "depth": 4, "num_heads": 3}


def tiny(**args: Any) -> ViT:
    return ViT("vit_tiny_patch16_224", TINY | args)


@vectors("toco/tiny_vit")
def test_tokens_are_the_released_ones(ref: dict[str, Any]) -> None:
    net = tiny()
    net.body.load_state_dict({k[3:]: torch.from_numpy(v) for k, v in ref.items() if k.startswith("sd.")}, strict=False)
    with torch.no_grad():
        images = torch.from_numpy(ref["x"])
        seen = net(images)
        np.testing.assert_allclose(seen.cls, ref["cls_token"], rtol=1e-4, atol=1e-5)
        for found, name in ((seen.patches, "patch_tokens"), (seen.inner, "aux_tokens")):
            tokens = found.flatten(2).transpose(1, 2)
            np.testing.assert_allclose(tokens, ref[name], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(net.inner(images), seen.inner)


@vectors("toco/largefov")
def test_decoder_is_the_released_one(ref: dict[str, Any]) -> None:
    net = LargeFov(ref["x"].shape[1], ref["out"].shape[1])
    by_formula(net)
    with torch.no_grad():
        np.testing.assert_allclose(net(torch.from_numpy(ref["x"])), ref["out"], rtol=1e-5, atol=1e-6)


@vectors("toco/ctc_head")
def test_projection_head_is_the_released_one(ref: dict[str, Any]) -> None:
    net = Projector(ref["x"].shape[1], ref["out"].shape[1])
    by_formula(net)
    with torch.no_grad():
        np.testing.assert_allclose(net(torch.from_numpy(ref["x"])), ref["out"], rtol=1e-5, atol=1e-6)


def test_what_is_trained_and_in_which_groups() -> None:
    net = tiny()
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    assert frozen == ["body.pos_embed"]
    assert not [name for name in net.state_dict() if name.startswith("body.head")]


@pytest.mark.parametrize("size", [(70, 118), (16, 16), (64, 64)])
def test_any_size_of_image(size: tuple[int, int]) -> None:
    net = SingleStage(tiny(), LargeFov(48, 4, width=8), 3)
    with torch.no_grad():
        out = net(torch.rand(2, 3, *size))
        grid = (size[0] // 16, size[1] // 16)
        assert out.logits is not None and out.logits.shape == (2, 4, *grid)
        assert out.tags.shape == out.inner_tags.shape == (2, 3)
        assert [m.shape for m in net.cams(torch.rand(2, 3, *size))] == [(2, 3, *grid)] * 2
        assert Segmentation(net)(torch.rand(1, 3, *size)).shape == (1, 4, *grid)
    assert net(torch.rand(2, 3, *size), segment=False).logits is None


def test_smaller_than_a_patch_is_refused() -> None:
    with pytest.raises(WsssError, match="an image of 40 x 15 holds no patch of 16 pixels"):
        tiny()(torch.rand(1, 3, 15, 40))


@pytest.mark.parametrize(("name", "args"), [("vit_base_patch16_siglip_224", TINY), ("test_resnet", {})])
def test_other_networks_are_refused(name: str, args: dict[str, int]) -> None:
    """SigLIP has no class token."""
    with pytest.raises(WsssError, match="is no plain vision transformer with one class token"):
        ViT(name, args)


def test_unknown_names_and_arguments() -> None:
    with pytest.raises(WsssError, match="unknown backbone 'vit_bas_patch16_224'; did you mean"):
        ViT("vit_bas_patch16_224")
    with pytest.raises(WsssError, match="cannot build 'vit_tiny_patch16_224' with"):
        tiny(dept=3)
    with pytest.raises(WsssError, match="has 4 blocks, and no block -5"):
        ViT("vit_tiny_patch16_224", TINY, inner_block=-5)


def test_pretrained_from_a_file_of_the_whole_network(tmp_path: Path) -> None:
    source = tiny()
    state = {**source.body.state_dict(), "head.weight": torch.zeros(9, 48), "head.bias": torch.zeros(9)}
    torch.save({"model": state}, tmp_path / "deit.pth")  # as DeiT's authors keep it
    net = tiny()
    found = load_pretrained(net, str(tmp_path / "deit.pth"))
    assert found is not None and found.unused == ("head.weight", "head.bias")
    torch.testing.assert_close(net.body.blocks[3].mlp.fc2.weight, source.body.blocks[3].mlp.fc2.weight)
    with pytest.raises(WsssError, match="does not fit"):
        load_pretrained(tiny(depth=5), str(tmp_path / "deit.pth"))
    with pytest.raises(WsssError, match=r"'blocks\.3\."):
        load_pretrained(tiny(depth=3), str(tmp_path / "deit.pth"))
