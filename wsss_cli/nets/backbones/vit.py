"""Plain vision transformers of timm, for images of any size, with an inner block's tokens beside the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import timm
import torch
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import check_name, entry, require_colours
from wsss_cli.nets.normalisation import Normalisation

SUGGESTED = "vit_base_patch16_224.orig_in21k_ft_in1k, deit_base_patch16_224.fb_in1k and vit_tiny_patch16_224 are plain"
HEADS = ("head", "head_drop", "fc_norm")  # the classifier's parts, which nothing here uses

Grid = tuple[int, int]


class Features(NamedTuple):
    """What a transformer sees in B images.

    cls (B, D) the class token and patches (B, D, h, w) the patch tokens, both after the final norm; inner (B, D, h, w)
    the patch tokens that an inner block gives, before any norm
    """

    cls: Tensor
    patches: Tensor
    inner: Tensor


class ViT(nn.Module):
    """A vision transformer of timm with one class token: images (B, 3, H, W) -> `Features` at floor(H / patch) cells.

    name             timm's, with or without a weights tag
    args             further arguments of its constructor, such as {"depth": 4, "drop_path_rate": 0.1}
    inner_block      whose output is `Features.inner`; -3 is block 9 of 12, counted from 0
    train_positions  whether the position embedding is learnt; else it stays as it is
    normalise        what its weights expect of images, if it is not ImageNet's mean and std

    A method whose class token goes another way builds on the parts: `embed`, `positions`, `run`, `normed`.
    Weights are random: see nets.weights.  Raises WsssError for an unknown name and for another kind of network.
    """

    def __init__(
        self,
        name: str,
        args: Mapping[str, Any] | None = None,
        inner_block: int = -3,
        train_positions: bool = False,
        normalise: Normalisation | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.args = dict(args or {})
        self.entry = entry(normalise)
        self.body: Any = _create(name, self.args)
        depth = len(self.body.blocks)
        if not -depth <= inner_block < depth:
            raise WsssError(f"'{name}' has {depth} blocks, and no block {inner_block}", "choose another inner_block")
        self.inner_block = inner_block % depth
        self.dim: int = self.body.embed_dim
        self.patch: int = self.body.patch_embed.patch_size[0]
        self.body.pos_embed.requires_grad_(train_positions)

    def forward(self, images: Tensor) -> Features:
        patches, grid = self.embed(images)
        tokens, inner = self.run(self.with_class_token(patches, grid))
        tokens = self.body.norm(tokens)  # (B, 1 + h*w, D)
        return Features(tokens[:, 0], as_map(tokens[:, 1:], grid), as_map(inner[:, 1:], grid))

    def inner(self, images: Tensor) -> Tensor:
        """`Features.inner` alone; the blocks after it are not run."""
        patches, grid = self.embed(images)
        tokens = self.with_class_token(patches, grid)
        for block in self.body.blocks[: self.inner_block + 1]:
            tokens = block(tokens)
        return as_map(tokens[:, 1:], grid)

    def embed(self, images: Tensor) -> tuple[Tensor, Grid]:
        """The patches' tokens, before positions are added: (B, h*w, D), and (h, w); what is left over is not seen.

        Raises WsssError if an image is smaller than a patch.
        """
        if min(images.shape[2:]) < self.patch:
            raise WsssError(
                f"an image of {images.shape[3]} x {images.shape[2]} holds no patch of {self.patch} pixels",
                "enlarge it (infer.resize, seeds.resize), leave out small scales, or choose smaller patches",
            )
        maps = self.body.patch_embed.proj(self.entry(images))  # (B, D, h, w)
        return self.body.patch_embed.norm(maps.flatten(2).transpose(1, 2)), (maps.shape[2], maps.shape[3])

    def positions(self, grid: Grid) -> tuple[Tensor, Tensor]:
        """The position embedding of the class token, (1, 1, D) or nothing (1, 0, D), and of the patches (1, h*w, D)."""
        given: Tensor = self.body.pos_embed
        own = given.shape[1] - self.body.patch_embed.num_patches  # 0: the class token has none
        return given[:, :own], resample_positions(given[:, own:], self.body.patch_embed.grid_size, grid)

    def with_class_token(self, patches: Tensor, grid: Grid) -> Tensor:
        """(B, h*w, D) -> (B, 1 + h*w, D), positions added."""
        first, others = self.positions(grid)
        token = self.body.cls_token + first if first.shape[1] else self.body.cls_token
        tokens = torch.cat([token.expand(len(patches), -1, -1), patches + others], 1)
        return self.body.norm_pre(self.body.pos_drop(tokens))

    def run(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Through every block: (B, N, D) -> what the last block and what `inner_block` gives, both before any norm."""
        inner = tokens
        for i, block in enumerate(self.body.blocks):
            tokens = block(tokens)
            if i == self.inner_block:
                inner = tokens
        return tokens, inner


def as_map(tokens: Tensor, grid: Grid) -> Tensor:
    """Patch tokens as a feature map: (B, h*w, D) -> (B, D, h, w)."""
    return tokens.transpose(1, 2).unflatten(2, grid)


def resample_positions(positions: Tensor, old: Grid, new: Grid) -> Tensor:
    """A grid's position embedding for another grid: (1, h*w, D) -> (1, h'*w', D).

    Bicubic, align_corners False and no antialiasing (which is timm's default), as the networks of this family do.
    """
    return resample_abs_pos_embed(positions, list(new), list(old), num_prefix_tokens=0, antialias=False)


def _create(name: str, args: Mapping[str, Any]) -> VisionTransformer:
    check_name(name)
    require_colours(args)
    try:
        body: Any = timm.create_model(name, pretrained=False, num_classes=0, **args)
    except (TypeError, AssertionError, RuntimeError, ValueError) as error:
        raise WsssError(f"cannot build '{name}' with {dict(args)}: {error}", "check backbone_args") from error
    if not isinstance(body, VisionTransformer) or body.num_prefix_tokens != 1 or body.pos_embed is None:
        raise WsssError(f"'{name}' is no plain vision transformer with one class token", SUGGESTED)
    for part in HEADS:
        if hasattr(body, part):
            delattr(body, part)
    return body
