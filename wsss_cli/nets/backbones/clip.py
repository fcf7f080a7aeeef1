"""CLIP's visual transformer: every block's tokens and attention map without gradient, and the last block apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.vit import Grid, ViT, as_map
from wsss_cli.nets.clip_net import VIT_B16
from wsss_cli.nets.normalisation import Normalisation

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the images that CLIP was trained on, in [0, 1]."""


class Seen(NamedTuple):
    """What all blocks but the last make of B images; N = 1 + h*w, the class token first, patches row by row.

    tokens (B, N, D) after each of these blocks; attention (B, M, N, N) of the last M of them, the mean over heads;
    grid (h, w)
    """

    tokens: tuple[Tensor, ...]
    attention: Tensor
    grid: Grid


class Attended(NamedTuple):
    """What a self-attention of H heads of d channels makes of N tokens, before its output is projected.

    query (B, H, N, d), times 1 / sqrt(d); key and value (B, H, N, d); weights (B, H, N, N) softmax of query key^T;
    mixed (B, N, H*d) weights times value, head by head
    """

    query: Tensor
    key: Tensor
    value: Tensor
    weights: Tensor
    mixed: Tensor


class ClipVisual(ViT):
    """CLIP's visual transformer, frozen; images (B, 3, H, W) of any size, at floor(H / patch) x floor(W / patch) cells.

    name  timm's, of a CLIP with a class token
    args  further arguments of its constructor, such as {"depth": 4}
    dim   of the space that images and texts share; None: as published
    normalise  what it is shown images by, if not by ImageNet's mean and std
    Weights are random: see nets.clip_weights.  Raises WsssError as ViT does, and for a network that is no CLIP.
    """

    def __init__(
        self,
        name: str = VIT_B16,
        args: Mapping[str, Any] | None = None,
        dim: int | None = None,
        normalise: Normalisation | None = None,
    ) -> None:
        _check_is_clip(name)
        super().__init__(name, args, inner_block=-1, normalise=normalise)
        self.proj = nn.Linear(self.dim, dim or timm.get_pretrained_cfg(name).num_classes, bias=False)
        self.requires_grad_(False)

    def positions(self, grid: Grid) -> tuple[Tensor, Tensor]:
        """As ViT's; bilinear, and rounded to float16 whatever the type [CLIP-ES, released code]."""
        given: Tensor = self.body.pos_embed
        own = given.shape[1] - self.body.patch_embed.num_patches
        patches = as_map(given[:, own:], self.body.patch_embed.grid_size)
        resized = F.interpolate(patches, size=grid, mode="bilinear", align_corners=False)  # (1, D, h, w)
        first, others = (x.half().to(given.dtype) for x in (given[:, :own], resized.flatten(2).transpose(1, 2)))
        return first, others

    @torch.no_grad()
    def see(self, images: Tensor, maps: int | None = None) -> Seen:
        """Every block but the last.

        maps  attention maps wanted, of the last such blocks; None: of all, 0: of none.  The others' are not computed.
        Raises WsssError if an image is smaller than a patch.
        """
        patches, grid = self.embed(images)
        x = self.with_class_token(patches, grid)
        blocks = self.body.blocks[:-1]
        first = 0 if maps is None else max(len(blocks) - maps, 0)
        tokens, attention = [], [x.new_zeros(len(x), 0, x.shape[1], x.shape[1])]
        for i, block in enumerate(blocks):
            if i < first:
                x = block(x)
            else:
                x, seen = run_block(block, x, block.norm1(x))
                attention.append(seen[:, None])
            tokens.append(x)
        return Seen(tuple(tokens), torch.cat(attention, 1), grid)

    def activation(self, tokens: Tensor) -> Tensor:
        """What the last block's attention is given, the activation of its class activation maps: (B, N, D), same."""
        return self.body.blocks[-1].norm1(tokens)

    def last_attention(self, activation: Tensor) -> Attended:
        """Of the last block: its `activation` (B, N, D) -> what its heads make of it."""
        return attend(self.body.blocks[-1].attn, activation)

    def last(self, tokens: Tensor, mixed: Tensor) -> Tensor:
        """The last block from `Attended.mixed` on: (B, N, D) that enter it, (B, N, D) -> its output (B, N, D)."""
        return after_attention(self.body.blocks[-1], tokens, mixed)

    def mean_gradient(self, attended: Attended, grad: Tensor) -> Tensor:
        """`mean_gradient` of the last block's attention."""
        return mean_gradient(self.body.blocks[-1].attn, attended, grad)

    def features(self, tokens: Tensor) -> Tensor:
        """The last block's output (B, N, D) -> the mean of its patches in the space shared with texts (B, E).

        The class token is not asked [Lin et al. 2023, released code].
        """
        return self.proj(self.body.norm(tokens)[:, 1:].mean(1))


def run_block(block: nn.Module, tokens: Tensor, normed: Tensor) -> tuple[Tensor, Tensor]:
    """A block of timm and its attention map: (B, N, D) and the same after its norm1 -> (B, N, D), (B, N, N)."""
    block_: Any = block
    attended = attend(block_.attn, normed)
    return after_attention(block, tokens, attended.mixed), attended.weights.mean(1)


def after_attention(block: nn.Module, tokens: Tensor, mixed: Tensor) -> Tensor:
    """The rest of a block of timm: what enters it (B, N, D) and `Attended.mixed` -> its output (B, N, D)."""
    block_: Any = block
    tokens = tokens + block_.attn.proj(mixed)
    return tokens + block_.mlp(block_.norm2(tokens))


def attend(attn: nn.Module, x: Tensor) -> Attended:
    """timm's self-attention of (B, N, D), head by head."""
    attn_: Any = attn
    qkv = attn_.qkv(x).unflatten(2, (3, attn_.num_heads, -1)).permute(2, 0, 3, 1, 4)  # (3, B, H, N, d)
    q, k, v = qkv.unbind(0)
    q = q * attn_.scale
    weights = (q @ k.transpose(-2, -1)).softmax(-1)
    return Attended(q, k, v, weights, (weights @ v).transpose(1, 2).flatten(2))


def mean_gradient(attn: nn.Module, attended: Attended, grad: Tensor) -> Tensor:
    """The gradient of what attention is given, averaged over patches, from that of `mixed`: (B, N, D) -> (B, D).

    In closed form. With P the weights, g the gradient of `mixed` and o `mixed`, that of q_j k_i is
    S_ji = P_ji (g_j v_i - g_j o_j). Summed over the patches j it needs P only in P^T [g, g o]; summed over the patches
    i it is -S_j0, as its rows add up to 0. So nothing but vectors is multiplied by the layer's own weights.
    """
    attn_: Any = attn
    q, k, v, weights, mixed = (x.float() for x in attended)
    g, o = (x.float().unflatten(2, (attn_.num_heads, -1)).transpose(1, 2) for x in (grad, mixed))  # (B, H, N, d)
    own = (g * o).sum(-1, keepdim=True)  # (B, H, N, 1)
    back = weights[:, :, 1:].transpose(-2, -1) @ torch.cat([g, own], -1)[:, :, 1:]  # (B, H, N, d + 1)
    first = weights[..., :1]  # of the class token
    queries = attn_.scale * (((v * back[..., :-1]).sum(-1, keepdim=True) - back[..., -1:]) * k).sum(2)  # (B, H, d)
    keys = -(first * ((g * v[:, :, :1]).sum(-1, keepdim=True) - own) * q).sum(2)
    values = ((1 - first) * g).sum(2)
    total = torch.cat([x.flatten(1) for x in (queries, keys, values)], 1)  # (B, 3 D)
    return total @ attn_.qkv.weight.float() / (grad.shape[1] - 1)


def _check_is_clip(name: str) -> None:
    architecture, _, tag = name.partition(".")
    if tag == "openai" and "quickgelu" not in architecture:
        raise WsssError(f"OpenAI's CLIP has another activation than '{name}'", f"use {VIT_B16} or its larger kin")
    if "_clip_" not in architecture:
        raise WsssError(f"'{name}' is no visual transformer of CLIP", f"{VIT_B16} is the papers'")
