"""WeCLIP's trained part: patch tokens of frozen transformers fused to one map, and a small transformer on it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from timm.layers import QuickGELU
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from wsss_cli.nets.vit import as_map


class Fusion(nn.Module):
    """A small MLP for the patch tokens of each level, and a linear layer of all that they give.

    maps, one for each level, (B, D, h, w) -> (B, width, h, w).
    """

    def __init__(self, dim: int, levels: int, width: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, width), nn.ReLU(), nn.Linear(width, width)) for _ in range(levels)
        )
        self.fuse = nn.Conv2d(levels * width, width, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        grid = (maps[0].shape[2], maps[0].shape[3])
        seen = [as_map(level(x.flatten(2).transpose(1, 2)), grid) for level, x in zip(self.levels, maps, strict=True)]
        return self.fuse(torch.cat(seen, 1))


class Decoder(nn.Module):
    """Transformer blocks without positions, then a linear classifier: (B, width, h, w) -> logits (B, K, h, w)."""

    def __init__(self, width: int, blocks: int, heads: int, num_outputs: int) -> None:
        super().__init__()
        norm = partial(nn.LayerNorm, eps=1e-5)
        self.blocks = nn.Sequential(
            *(Block(width, heads, qkv_bias=True, act_layer=QuickGELU, norm_layer=norm) for _ in range(blocks))
        )
        self.classify = nn.Conv2d(width, num_outputs, 1)
        for block in self.blocks:
            _initialise(block.attn)

    def forward(self, maps: Tensor) -> Tensor:
        grid = (maps.shape[2], maps.shape[3])
        return self.classify(as_map(self.blocks(maps.flatten(2).transpose(1, 2)), grid))


def affinity(maps: Tensor) -> Tensor:
    """P = sigmoid(F^T F), how likely each two cells belong together: (B, D, h, w) -> (B, n, n), n = h w."""
    flat = maps.flatten(2)  # (B, D, n)
    return (flat.transpose(1, 2) @ flat).sigmoid()


def _initialise(attention: nn.Module) -> None:
    """As PyTorch's own MultiheadAttention begins."""
    nn.init.xavier_uniform_(attention.qkv.weight)
    nn.init.zeros_(attention.qkv.bias)
    nn.init.zeros_(attention.proj.bias)
