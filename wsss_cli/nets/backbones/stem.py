"""A convolutional network whose last map is what a vision transformer sees as patches."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.vit import ViT


class Stem(nn.Module):
    """Images (B, 3, H, W) -> (B, D, floor(H / s), floor(W / s)), s the stride of the backbone's last map.

    frozen  the backbone stays as it is pretrained, and only the projection to D channels learns
    [Dosovitskiy et al. 2021, sec. 3.1, "Hybrid Architecture"]
    """

    def __init__(self, backbone: Backbone, dim: int, frozen: bool = True) -> None:
        super().__init__()
        self.backbone = backbone
        self.proj = nn.Conv2d(backbone.channels[-1], dim, 1)
        self.frozen = frozen
        if frozen:
            backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        stride = self.backbone.strides[-1]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps = self.backbone(images)[-1]
        return self.proj(maps[:, :, : images.shape[2] // stride, : images.shape[3] // stride])


def give_stem(vit: ViT, backbone: Backbone, frozen: bool) -> None:
    """Let the transformer, whose weights are loaded, see the backbone's maps in place of its own patches.

    The backbone normalises images as its own weights expect.
    """
    vit.entry = nn.Identity()
    vit.body.patch_embed.proj = Stem(backbone, vit.dim, frozen)
