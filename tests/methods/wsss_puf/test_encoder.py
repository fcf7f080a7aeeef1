"""The class token that gathers the patches, against the released code; and what the transformer adds to the host's."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reference_vectors import vectors
from wsss_cli.nets.backbones.vit import ViT
from wsss_puf.encoder import GatheringViT

TINY = {"img_size": 64, "embed_dim": 48, "depth": 4, "num_heads": 3}


def tiny(**options: Any) -> GatheringViT:
    torch.manual_seed(0)
    return GatheringViT("vit_tiny_patch16_224", TINY, **options)


def close(found: Any, expected: Any) -> None:
    """To 2e-6 of the largest value, beside 1e-5 of each.

    Where terms cancel, single values of float32 sums are worth less: of 768 x 784 tokens the released order
    (softmax(q k) v) differs from float64 by up to 1e-3 of a value, torch's fused attention by 5e-3, but both by at most
    1.9e-6 of the largest.
    """
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])  # in float64 the released sums' own rounding is left
@vectors("puf/aggregation")
def test_gathering_is_the_released_one(ref: dict[str, Any], dtype: torch.dtype) -> None:
    state = {k[3:]: torch.from_numpy(v) for k, v in ref.items() if k.startswith("sd.")}
    dim, depth = ref["x"].shape[2], len(ref["after_block"])
    hidden = state["cls_blocks.0.mlp.fc1.weight"].shape[0]
    sizes = {"embed_dim": dim, "depth": 1, "num_heads": ref["num_heads"], "mlp_ratio": hidden / dim}
    net = GatheringViT("vit_tiny_patch16_224", sizes, -1, depth)
    net.cls_blocks.load_state_dict({k[11:]: v for k, v in state.items() if k.startswith("cls_blocks.")})
    net.body.norm.load_state_dict({k[5:]: v for k, v in state.items() if k.startswith("norm.")})
    net.body.cls_token = nn.Parameter(torch.from_numpy(ref["cls_token"]))
    net.to(dtype)
    x = torch.from_numpy(ref["x"]).to(dtype).requires_grad_()
    token = net.body.cls_token.expand(len(x), -1, -1)
    for block, expected in zip(net.cls_blocks, ref["after_block"], strict=True):
        token = block(token, x)
        close(token.detach(), expected)
    out = torch.cat([net.gather(x)[:, None], net.body.norm(x)], 1)
    close(out.detach(), ref["out"])
    (out * torch.from_numpy(ref["probe"])).sum().backward()
    close(net.body.cls_token.grad, ref["grad_cls_token"])
    close(x.grad, ref["grad_x"])


def test_masked_patches_are_not_seen() -> None:
    net, images = tiny(inner_block=-3), torch.rand(2, 3, 64, 64)
    mask = torch.zeros(2, 4, 4, dtype=torch.bool)
    mask[:, 1, 2] = True
    other = images.clone()
    other[:, :, 16:32, 32:48] = 0
    with torch.no_grad():
        torch.testing.assert_close(net.tokens(images, mask).last, net.tokens(other, mask).last)
        assert not torch.allclose(net.tokens(images).last, net.tokens(other).last)
        torch.testing.assert_close(net.inner(images), net(images).inner)


def test_the_class_token_may_look_past_masked_patches() -> None:
    net, patches = tiny(inner_block=-3), torch.randn(2, 16, 48)
    seen = torch.rand(2, 16) < 0.5
    changed = torch.where(seen[:, :, None], patches, torch.randn(2, 16, 48))
    with torch.no_grad():
        torch.testing.assert_close(net.gather(patches, seen), net.gather(changed, seen))
        torch.testing.assert_close(net.gather(patches[:1, :9]), net.gather(patches[:1], torch.arange(16)[None] < 9))


def test_only_the_class_token_depends_on_what_it_gathers() -> None:
    """Apart from positions and the class token's way the blocks are timm's, from the same weights."""
    net, plain = tiny(inner_block=-3), ViT("vit_tiny_patch16_224", TINY)
    plain.body.load_state_dict(net.body.state_dict())
    images = torch.rand(1, 3, 64, 48)
    patches, grid = plain.embed(images)
    with torch.no_grad():
        last, inner = plain.run(patches + plain.positions(grid)[1])
        found = net.tokens(images)
    torch.testing.assert_close(found.last, last)
    torch.testing.assert_close(found.inner, inner)


@pytest.mark.parametrize("side", [64, 96, 40])
def test_positions_are_resampled_once(side: int) -> None:
    """As the network would each time: the same features at the images' size, learnt from there on."""
    net, images = tiny(inner_block=-3), torch.rand(1, 3, side, side)
    with torch.no_grad():
        before = net.tokens(images).last
        net.set_side(side)
        torch.testing.assert_close(net.tokens(images).last, before)
    n = (side // 16) ** 2
    assert net.body.pos_embed.shape == (1, n + 1, 48) and net.body.pos_embed.requires_grad
    assert net.body.patch_embed.num_patches == n
