"""WeCLIP's network: frozen transformers, their patch tokens fused to one map, and a small transformer on it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from timm.layers import QuickGELU
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from wsss_cli.cam.softmax_cam import softmax_cams
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.backbones.vit import as_map
from wsss_weclip.config import Net
from wsss_weclip.dino import Dino


class Evidence(NamedTuple):
    """What the frozen networks see in B images, without gradient; n = h w cells.

    levels     (L, B, D, h, w) patch tokens of the blocks that are fused
    dino       (B, E, h', w') patch tokens of DINOv2; without it, no channels
    attention  (B, M, n, n) attention maps of the last M blocks, without class token
    cams       (B, C, h, w) in [0, 1) of the classes present, 0 for the others
    """

    levels: Tensor
    dino: Tensor
    attention: Tensor
    cams: Tensor


class Outputs(NamedTuple):
    """What the trained part makes of it.

    logits (B, K, h, w); parts: with DINOv2 the decodings that they are the mean of, CLIP's and DINO's; affinity
    (B, n, n) in [0, 1], how likely each two cells belong together
    """

    logits: Tensor
    parts: tuple[Tensor, ...]
    affinity: Tensor


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

    def forward(self, maps: Sequence[Tensor] | Tensor) -> Tensor:
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
            _initialise(block)

    def forward(self, maps: Tensor) -> Tensor:
        grid = (maps.shape[2], maps.shape[3])
        return self.classify(as_map(self.blocks(maps.flatten(2).transpose(1, 2)), grid))


class WeClip(nn.Module):
    """`Evidence` -> `Outputs`.

    text  features of the names: of the C classes (C, E) and of background (b, E), kept with the weights
    """

    classes: Tensor
    background: Tensor

    def __init__(self, encoder: ClipVisual, dino: Dino | None, net: Net, text: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.settings = net
        self.encoder, self.dino = encoder, dino
        levels = 1 if net.levels == "last" else len(encoder.body.blocks) - 1
        self.fusion = Fusion(encoder.dim, levels, net.width)
        self.dino_fusion = None if dino is None else Fusion(dino.dim, 1, net.width)
        self.decoder = Decoder(net.width, net.blocks, net.heads, len(text[0]) + 1)
        self.register_buffer("classes", text[0].clone())
        self.register_buffer("background", text[1].clone())
        if net.half_projection:
            for block in (*encoder.body.blocks, *self.decoder.blocks):
                block.attn.proj.__class__ = HalfLinear

    def train(self, mode: bool = True) -> WeClip:
        """The frozen networks stay in eval mode."""
        super().train(mode)
        self.encoder.eval()
        if self.dino is not None:
            self.dino.eval()
        return self

    @torch.no_grad()
    def look(self, images: Tensor, tags: Tensor, maps: int) -> Evidence:
        """What the frozen networks see: images (B, 3, H, W) normalised, tags (B, C) 0/1; attention of `maps` blocks."""
        seen = self.encoder.see(images, maps - 1)
        entering = seen.tokens[self.settings.cam_level]
        cams, last = softmax_cams(
            self.encoder, entering, seen.grid, tags, self.classes, self.background, self.settings.logit_scale
        )
        attention = torch.cat([seen.attention, last[:, None]], 1)[:, :, 1:, 1:]
        return Evidence(self._levels(seen.tokens, seen.grid), self._dino(images), attention, cams)

    def forward(self, seen: Evidence, kept: Tensor | None = None) -> Outputs:
        """kept (B, m width): what each fused channel is multiplied by, in training; of CLIP's, then of DINO's."""
        fused = [self.fusion(seen.levels)]  # (B, width, h, w)
        if self.dino_fusion is not None:
            fused.append(_resized(self.dino_fusion([seen.dino]), fused[0].shape[2:]))
        if kept is not None:
            fused = [x * part[:, :, None, None] for x, part in zip(fused, kept.split(self.settings.width, 1))]
        parts = [self.decoder(x) for x in fused]
        joined = torch.cat(fused, 1).float()
        with torch.autocast(joined.device.type, enabled=False):
            similar = affinity(joined)
        return Outputs(torch.stack(parts).mean(0), tuple(parts) if len(parts) > 1 else (), similar)

    def segmentation(self, images: Tensor) -> Tensor:
        """Logits (B, K, h, w) of normalised images (B, 3, H, W); nothing is computed for CAMs."""
        with torch.no_grad():
            seen = self.encoder.see(images, 0)
            none = images.new_zeros(0)
            evidence = Evidence(self._levels(seen.tokens, seen.grid), self._dino(images), none, none)
        return self(evidence).logits

    def _levels(self, tokens: Sequence[Tensor], grid: tuple[int, int]) -> Tensor:
        chosen = tokens[-1:] if self.settings.levels == "last" else tokens
        return torch.stack([as_map(x[:, 1:], grid) for x in chosen])

    def _dino(self, images: Tensor) -> Tensor:
        return images.new_zeros(len(images), 0, 1, 1) if self.dino is None else self.dino(images)


def affinity(maps: Tensor) -> Tensor:
    """P = sigmoid(F^T F), how likely each two cells belong together: (B, D, h, w) -> (B, n, n), n = h w."""
    flat = maps.flatten(2)  # (B, D, n)
    return (flat.transpose(1, 2) @ flat).sigmoid()


class HalfLinear(nn.Linear):
    """A linear layer in float16, whatever it is given; it gives the same type."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            assert self.bias is not None
            return F.linear(x.half(), self.weight.half(), self.bias.half()).to(x.dtype)


def _resized(maps: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def _initialise(block: Any) -> None:
    """Its attention, as PyTorch's own MultiheadAttention begins."""
    attention = block.attn
    nn.init.xavier_uniform_(attention.qkv.weight)
    nn.init.zeros_(attention.qkv.bias)
    nn.init.zeros_(attention.proj.bias)
