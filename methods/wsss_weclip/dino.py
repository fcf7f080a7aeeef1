"""DINOv2 as WeCLIP+ sees images with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import check_name
from wsss_cli.nets.backbones.vit import Grid, as_map

SUGGESTED = "vit_small_patch14_dinov2.lvd142m, vit_base_patch14_dinov2.lvd142m and their _reg4_ kin are such"


class Dino(nn.Module):
    """A DINOv2 of timm, frozen: normalised images (B, 3, H, W) -> the last layer's patches (B, D, h, w).

    name, args  timm's name and further arguments of its constructor
    Images are enlarged or shrunk to whole patches, h = floor(H / patch).  Weights are random: see nets.pretrained.
    Raises WsssError for an unknown name and for another kind of network.
    """

    def __init__(self, name: str, args: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        check_name(name)
        self.name, self.args = name, dict(args or {})
        body: Any = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True, **self.args)
        if "dinov2" not in name or not isinstance(body, VisionTransformer):
            raise WsssError(f"'{name}' is no DINOv2 of timm", SUGGESTED)
        self.body: Any = body.requires_grad_(False)
        self.dim: int = body.embed_dim
        self.patch: int = body.patch_embed.patch_size[0]

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        grid = (max(1, height // self.patch), max(1, width // self.patch))
        x = F.interpolate(images, (grid[0] * self.patch, grid[1] * self.patch), mode="bilinear", align_corners=False)
        tokens = self.body.forward_features(x) if self.body.num_reg_tokens else self._without_registers(x, grid)
        return as_map(tokens[:, self.body.num_prefix_tokens :], grid)

    def _without_registers(self, images: Tensor, grid: Grid) -> Tensor:
        """As timm's forward_features, but for the positions: (B, 1 + h*w, D)."""
        body = self.body
        patches = body.patch_embed(images).flatten(1, 2)  # (B, h*w, D)
        first, others = body.pos_embed[:, :1], resampled(body.pos_embed[:, 1:], body.patch_embed.grid_size, grid)
        token = (body.cls_token + first).expand(len(images), -1, -1)
        return body.norm(body.blocks(body.norm_pre(torch.cat([token, patches + others], 1))))


def resampled(positions: Tensor, old: Grid, new: Grid) -> Tensor:
    """A grid's position embedding for another grid: (1, h*w, D) -> (1, h'*w', D).

    As DINOv2's networks without registers do, whose factor is that of a tenth of a cell more; timm's resampling
    differs by up to 3e-2 of the features.
    """
    if tuple(old) == tuple(new):
        return positions
    factor = tuple((n + 0.1) / o for n, o in zip(new, old))
    maps = F.interpolate(as_map(positions, old), scale_factor=factor, mode="bicubic", align_corners=False)
    return maps.flatten(2).transpose(1, 2)
