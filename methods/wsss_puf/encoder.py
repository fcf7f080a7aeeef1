"""PUF's transformer: patch tokens alone run through its blocks; a class token then gathers what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from timm.layers import Mlp
from torch import Tensor, nn

from wsss_cli.nets.backbones.vit import Features, Grid, ViT, as_map, resample_positions


class Tokens(NamedTuple):
    """Patch tokens (B, h*w, D) of the last and of the inner block, both before any norm, and h, w."""

    last: Tensor
    inner: Tensor
    grid: Grid


class GatheringViT(ViT):
    """A transformer of timm whose class token goes through no block, but through cross-attention after the last one.

    gather_depth  cross-attention blocks
    gather_seen   whether the class token is to look past masked patches
    mask_token    stands in the place of masked patches, before positions are added

    Tensor names are those of the released checkpoints but for `body.` before timm's own.
    """

    def __init__(
        self, name: str, args: Mapping[str, Any], inner_block: int, gather_depth: int = 2, gather_seen: bool = False
    ) -> None:
        super().__init__(name, args, inner_block, train_positions=True)
        first = self.body.blocks[0]
        heads, hidden, eps = first.attn.num_heads, first.mlp.fc1.out_features, self.body.norm.eps
        self.gather_seen = gather_seen
        self.mask_token = nn.Parameter(torch.zeros(1, self.dim))
        self.cls_blocks = nn.ModuleList(Gather(self.dim, heads, hidden, eps) for _ in range(gather_depth))
        for token in (self.mask_token, self.body.cls_token):
            nn.init.trunc_normal_(token, std=0.02)

    def forward(self, images: Tensor) -> Features:
        tokens = self.tokens(images)
        maps = self.maps(tokens)
        return Features(self.gather(tokens.last), *maps)

    def tokens(self, images: Tensor, mask: Tensor | None = None) -> Tokens:
        """images (B, 3, H, W); mask (B, h, w) bool, True: the patch is not seen."""
        tokens, grid = self._enter(images, mask)
        return Tokens(*self.run(tokens), grid)

    def maps(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Feature maps (B, D, h, w): of the last block, after the final norm, and of the inner block as it is."""
        return as_map(self.body.norm(tokens.last), tokens.grid), as_map(tokens.inner, tokens.grid)

    def inner(self, images: Tensor) -> Tensor:
        """`Features.inner` alone; the blocks after it are not run."""
        tokens, grid = self._enter(images, None)
        for block in self.body.blocks[: self.inner_block + 1]:
            tokens = block(tokens)
        return as_map(tokens, grid)

    def gather(self, patches: Tensor, seen: Tensor | None = None) -> Tensor:
        """The class token, after the final norm: (B, D).

        patches (B, N, D) of the last block, before the norm; seen (B, N) bool, False: not to be looked at.
        """
        token = self.body.cls_token.expand(len(patches), -1, -1)  # (B, 1, D)
        for block in self.cls_blocks:
            token = block(token, patches, seen)
        return self.body.norm(token)[:, 0]

    def gathering(self) -> list[nn.Parameter]:
        """The parameters that `gather` alone uses."""
        return [self.body.cls_token, *self.cls_blocks.parameters()]

    def set_side(self, side: int) -> None:
        """Resample the position embedding, for good, to images of side x side pixels."""
        embed, given = self.body.patch_embed, self.body.pos_embed
        old = embed.grid_size
        own = given.shape[1] - embed.num_patches  # the class token's, which nothing uses
        embed.set_input_size((side, side))
        with torch.no_grad():
            patches = resample_positions(given[:, own:], old, embed.grid_size)
            self.body.pos_embed = nn.Parameter(torch.cat([given[:, :own], patches], 1))

    def _enter(self, images: Tensor, mask: Tensor | None) -> tuple[Tensor, Grid]:
        """What the first block is given: (B, h*w, D)."""
        patches, grid = self.embed(images)
        if mask is not None:
            patches = torch.where(mask.flatten(1)[:, :, None], self.mask_token, patches)
        tokens = patches + self.positions(grid)[1]
        return self.body.norm_pre(self.body.pos_drop(tokens)), grid


class Gather(nn.Module):
    """One block in which the class token looks at the patches.

    z = LN1([c; x]); c <- c + proj(softmax(q(z_0) k(z_1:)^T / sqrt(d)) v(z_1:)); c <- c + MLP(LN2(c)); x stays.
    [He et al. 2024, released code]
    """

    def __init__(self, dim: int, heads: int, hidden: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(dim, eps=eps) for _ in range(2))
        self.attn = CrossAttention(dim, heads)
        self.mlp = Mlp(dim, hidden)
        self.apply(_initialise)

    def forward(self, token: Tensor, patches: Tensor, seen: Tensor | None = None) -> Tensor:
        """token (B, 1, D), patches (B, N, D), seen (B, N) bool -> (B, 1, D)."""
        token = token + self.attn(self.norm1(token), self.norm1(patches), seen)
        return token + self.mlp(self.norm2(token))


class CrossAttention(nn.Module):
    """Multi-head attention of some tokens to others: (B, M, D), (B, N, D) -> (B, M, D)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, tokens: Tensor, others: Tensor, seen: Tensor | None = None) -> Tensor:
        split = partial(_split, heads=self.heads)
        q, k, v = split(self.q(tokens)), split(self.k(others)), split(self.v(others))
        only = None if seen is None else seen[:, None, None]  # (B, 1, 1, N)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=only)  # (B, heads, M, d)
        return self.proj(out.transpose(1, 2).flatten(2))


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, N, D) -> (B, heads, N, D / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
