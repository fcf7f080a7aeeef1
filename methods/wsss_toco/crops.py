"""Where local crops lie: around pixels of which the CAMs are unsure, or which they take for background."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsss_cli.cam.regions import SURE

Permutation = Callable[[int], Tensor]
"""n -> a random permutation of 0..n-1, of which only the first entries are used."""


def crop_corners(regions: Tensor, size: int, number: int, permutation: Permutation) -> Tensor:
    """The top left corners of `number` crops: regions (H, W) of `region_map` -> (number, 2) y, x.

    Centres are drawn among the pixels that are not surely a class, far enough from the border; among all such if there
    are fewer than `number`.
    """
    half = size // 2
    centres = regions[half : regions.shape[0] - half, half : regions.shape[1] - half]
    found = (centres < SURE).nonzero()  # (n, 2); of the whole map these are the crops' corners
    if len(found) < number:
        found = torch.ones_like(centres).nonzero()
    return found[permutation(len(found))[:number].to(found.device)]


def cut(images: Tensor, corners: Tensor, size: int) -> Tensor:
    """Crops (number B, C, size, size), crop by crop, of images (B, C, H, W) at corners (B, number, 2)."""
    rows = corners.transpose(0, 1).tolist()  # number x B x 2
    crops = [image[:, y : y + size, x : x + size] for row in rows for image, (y, x) in zip(images, row)]
    return torch.stack(crops)


def crop_flags(regions: Tensor, corners: Tensor, size: int, least: float, views: int = 2) -> Tensor:
    """1 for the whole views and for crops whose mean region is above `least`, else 0: (B, views + number) float32.

    regions (B, H, W) 0 background, 1 unsure, 2 sure, which so counts twice; corners (B, number, 2).
    """
    mean = cut(regions[:, None].float(), corners, size).mean((1, 2, 3))  # (number B,)
    local = (mean > least).float().unflatten(0, (-1, len(regions))).T  # (B, number)
    return torch.nn.functional.pad(local, (views, 0), value=1.0)
