"""CLIP-ES' CAMs: softmax Grad-CAM from class names, spread by class-aware attention affinity.  [Lin et al. 2023]"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from wsss_cli.batches.transforms import normalise
from wsss_cli.classifier.softmax_cam import min_max, softmax_cams
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.precision import computing
from wsss_cli.refine import attention
from wsss_clipes.config import Seeds


def whole_patches(image: NDArray[np.uint8], patch: int) -> NDArray[np.uint8]:
    """The image enlarged to whole patches by Pillow's bicubic: (H, W, 3) -> (ceil(H / p) p, ceil(W / p) p, 3)."""
    height, width = (-(-side // patch) * patch for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


@torch.no_grad()
def cams_of(
    tower: ClipVisual, images: Tensor, tags: Tensor, text: tuple[Tensor, Tensor], config: Seeds
) -> list[Tensor]:
    """The CAMs of each image's classes, in the order of their ids: (n, h, w) in [0, 1], one cell a patch.

    images (B, H, W, 3) uint8 of whole patches; tags (B, C) 0/1; text the names' features (C, E) and (b, E)
    """
    with computing(config, images.device):
        seen = tower.see(normalise(images), config.maps - 1)
        cams, last = softmax_cams(tower, seen.tokens[-1], seen.grid, tags, *text, config.net.logit_scale)
    maps = torch.cat([seen.attention, last[:, None]], 1)[:, -config.maps :, 1:, 1:].float()
    matrices = attention.transition(maps.mean(1))  # (B, n, n)
    present = (maps[row > 0] for maps, row in zip(cams, tags))
    return [spread(maps, matrix, config.box_threshold) for maps, matrix in zip(present, matrices)]


def spread(cams: Tensor, matrix: Tensor, box_threshold: float) -> Tensor:
    """The CAMs spread from their boxes and normalised: (n, h, w), matrix (h w, h w) -> (n, h, w) in [0, 1]."""
    return min_max(attention.spread(attention.boxes_of(cams, box_threshold) * cams, matrix))
