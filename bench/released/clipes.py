"""CLIP-ES' seeds in the released order of work: one image after the other, and the last block anew for each class.

All of a block's parameters have gradients, every attention map is made and kept, and the transition matrix is balanced
and squared for each class. The weights are those of our tower.  [linyq2117/CLIP-ES]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from wsss_cli.nets.backbones.clip import MEAN, STD, ClipVisual
from wsss_cli.nets.backbones.vit import Grid
from wsss_cli.refine.attention import boxes_of
from wsss_clipes.config import Seeds


class Released:
    """The CAMs of one image: (H, W, 3) uint8 and the ids of its classes -> (n, H, W) float16."""

    def __init__(self, tower: ClipVisual, text: tuple[Tensor, Tensor], config: Seeds) -> None:
        self.tower, self.config = tower, config
        self.classes, self.background = text
        self.device = self.classes.device
        self.last: Any = tower.body.blocks[-1]
        for part in (self.last, tower.body.norm, tower.proj):
            part.requires_grad_()

    def __call__(self, image: NDArray[np.uint8], tags: Sequence[int]) -> Tensor:
        shown, _ = self.views(image)
        tokens, maps, grid = self.encode(shown[None])
        names = torch.cat([self.classes[[t - 1 for t in tags]], self.background])
        affinity, found = Tensor(), []
        for i in range(len(tags)):
            cam, last = self.grad_cam(tokens, names, i, grid)
            enlarged(cam, image.shape[:2])  # of no use
            if not i:
                affinity = torch.stack([a[:, 1:, 1:] for a in (*maps, last)])[-self.config.maps :].mean(0)[0]
            found.append(enlarged(min_max(self.spread(cam, affinity)), image.shape[:2]))
        return torch.stack(found).half()

    def views(self, image: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        """The image at whole patches and its mirror image, which nothing uses: (3, H', W') each."""
        height, width = (-(-side // self.tower.patch) * self.tower.patch for side in image.shape[:2])
        large = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
        x = torch.from_numpy(np.asarray(large).copy()).to(self.device).permute(2, 0, 1) / 255
        mean, std = (x.new_tensor(v)[:, None, None] for v in (MEAN, STD))
        x = (x - mean) / std
        return x, x.flip(-1)

    @torch.no_grad()
    def encode(self, x: Tensor) -> tuple[Tensor, list[Tensor], Grid]:
        """Every block but the last: tokens (N, 1, D) and all attention maps (1, N, N)."""
        body, maps = self.tower.body, []
        patches = body.patch_embed.proj(x)  # (1, D, h, w)
        grid = (patches.shape[2], patches.shape[3])
        tokens = self.tower.with_class_token(patches.flatten(2).transpose(1, 2), grid).transpose(0, 1)
        for block in body.blocks[:-1]:
            tokens, attention = run(block, tokens, block.norm1(tokens))
            maps.append(attention)
        return tokens, maps, grid

    def grad_cam(self, tokens: Tensor, names: Tensor, i: int, grid: Grid) -> tuple[Tensor, Tensor]:
        """The CAM of the i-th name (h, w), and the last attention map (1, N, N)."""
        grads: list[Tensor] = []
        self.tower.zero_grad()
        activation = self.last.norm1(tokens)  # (N, 1, D)
        activation.register_hook(grads.append)
        output, attention = run(self.last, tokens, activation)
        feature = self.tower.proj(self.tower.body.norm(output.transpose(0, 1))[:, 1:].mean(1))
        cosines = F.normalize(feature, dim=1) @ F.normalize(names, dim=1).T
        (self.config.net.logit_scale * cosines).softmax(-1)[0, i].backward(retain_graph=True)
        maps, grad = (x.detach()[1:, 0].T.unflatten(1, grid).cpu().numpy() for x in (activation, grads[0]))  # (D, h, w)
        cam = np.maximum((grad.mean((1, 2))[:, None, None] * maps).sum(0), 0)
        return min_max(min_max(torch.from_numpy(cam).to(self.device))), attention.detach()

    def spread(self, cam: Tensor, affinity: Tensor) -> Tensor:
        """From its boxes, by the square of the balanced affinity."""
        for _ in range(3):
            affinity = affinity / affinity.sum(0, keepdim=True)
            affinity = affinity / affinity.sum(1, keepdim=True)
        affinity = (affinity + affinity.T) / 2
        box = boxes_of(cam[None], self.config.box_threshold).view(1, -1)
        return (affinity @ affinity * box @ cam.view(-1, 1)).view(cam.shape)


def run(block: Any, tokens: Tensor, normed: Tensor) -> tuple[Tensor, Tensor]:
    """A block, its attention as whole matrices: (N, 1, D) -> the same, (1, N, N)."""
    attn = block.attn
    mixed, attention = F.multi_head_attention_forward(
        *(normed, normed, normed, normed.shape[2], attn.num_heads, attn.qkv.weight, attn.qkv.bias, None, None, False),
        *(0.0, attn.proj.weight, attn.proj.bias),
        need_weights=True,
    )
    assert attention is not None
    tokens = tokens + mixed
    return tokens + block.mlp(block.norm2(tokens)), attention


def min_max(x: Tensor) -> Tensor:
    x = x - x.min()
    return x / (x.max() + 1e-7)


def enlarged(cam: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(cam[None, None], tuple(size), mode="bilinear", align_corners=False)[0, 0]
