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


class Seen(NamedTuple):
    """What all blocks but the last make of B images; N = 1 + h*w, the class token first, patches row by row.

    tokens (B, N, D) after each of these blocks; attention (B, M, N, N) of the last M of them, the mean over heads;
    grid (h, w)
    """

    tokens: tuple[Tensor, ...]
    attention: Tensor
    grid: Grid


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
        super().__init__(name, args, normalise=normalise)
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

    def last(self, tokens: Tensor, activation: Tensor) -> tuple[Tensor, Tensor]:
        """The last block: tokens (B, N, D) and their `activation` -> its output (B, N, D), its attention (B, N, N)."""
        return run_block(self.body.blocks[-1], tokens, activation)

    def features(self, tokens: Tensor) -> Tensor:
        """The last block's output (B, N, D) -> the mean of its patches in the space shared with texts (B, E).

        The class token is not asked [Lin et al. 2023, released code].
        """
        return self.proj(self.body.norm(tokens)[:, 1:].mean(1))


def run_block(block: nn.Module, tokens: Tensor, normed: Tensor) -> tuple[Tensor, Tensor]:
    """A block of timm and its attention map: (B, N, D) and the same after its norm1 -> (B, N, D), (B, N, N)."""
    block_: Any = block
    mixed, attention = attend(block_.attn, normed)
    tokens = tokens + mixed
    return tokens + block_.mlp(block_.norm2(tokens)), attention


def attend(attn: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """timm's self-attention (B, N, D) -> (B, N, D), and softmax(q k^T / sqrt(d)) averaged over heads (B, N, N)."""
    attn_: Any = attn
    qkv = attn_.qkv(x).unflatten(2, (3, attn_.num_heads, -1)).permute(2, 0, 3, 1, 4)  # (3, B, heads, N, d)
    q, k, v = qkv.unbind(0)
    weights = (q * attn_.scale @ k.transpose(-2, -1)).softmax(-1)  # (B, heads, N, N)
    return attn_.proj((weights @ v).transpose(1, 2).flatten(2)), weights.mean(1)


def _check_is_clip(name: str) -> None:
    architecture, _, tag = name.partition(".")
    if tag == "openai" and "quickgelu" not in architecture:
        raise WsssError(f"OpenAI's CLIP has another activation than '{name}'", f"use {VIT_B16} or its larger kin")
    if "_clip_" not in architecture:
        raise WsssError(f"'{name}' is no visual transformer of CLIP", f"{VIT_B16} is the papers'")
