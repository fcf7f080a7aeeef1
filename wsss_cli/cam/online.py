"""Multi-scale CAMs of a training batch, made with the very weights that are being trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5
SCALES = (1.0, 0.5, 1.5)

Maps = tuple[Tensor, ...]
Maker = Callable[[Tensor], Maps]
"""Images (N, 3, h, w) -> class maps before ReLU, any number of kinds, each (N, C, h', w')."""


@torch.no_grad()
def online_cams(
    maps_of: Maker,
    images: Tensor,
    tags: Tensor,
    scales: Sequence[float] = SCALES,
    relu_first: bool = False,
    known: Maps | None = None,
) -> Maps:
    """CAMs in [0, 1] of the classes present, 0 for the others; (B, C, H, W) of each kind.

    For each scale the image and its mirror image in one pass; ReLU of the larger of the two, enlarged bilinearly
    (align_corners False), summed over scales; then minus its minimum, divided by its maximum + 1e-5.
    [Ru et al. 2023, released code]

    images (B, 3, H, W); tags (B, C) 1 where the class is present, best on the CPU: a GPU would have to be waited for
    relu_first  ReLU before the maps are enlarged (PUF) instead of after it (ToCo, LOC-BE)
    known       what `maps_of` gives for the images as they are, if it is there already
    """
    present = tags.nonzero(as_tuple=True)
    owner, channel = (x.to(images.device, non_blocking=True) for x in present)  # (P,) each: P classes in all images
    size, total = (images.shape[2], images.shape[3]), None
    for scale in scales:
        with _weights_cast_anew(images.device.type):
            plain, mirrored = _both(maps_of, images, scale, known)
        sums = [
            _enlarged(a[owner, channel], b[owner, channel].flip(-1), size, relu_first) for a, b in zip(plain, mirrored)
        ]  # (P, H, W) each
        total = sums if total is None else [x.add_(y) for x, y in zip(total, sums)]
    shape = (*tags.shape, *size)
    return tuple(_in_place(min_max(x), owner, channel, shape) for x in total or ())


def min_max(cam: Tensor) -> Tensor:
    """(x - min x) / (max (x - min x) + 1e-5), each map by its own: (P, H, W) -> (P, H, W) in [0, 1)."""
    cam = cam - cam.amin((-2, -1), keepdim=True)
    return cam / (cam.amax((-2, -1), keepdim=True) + EPS)


def floor_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """The height and width times the scale, cut off, at least 1: (H, W)."""
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _weights_cast_anew(device: str) -> AbstractContextManager[object]:
    """Under autocast: keep no weights cast here, without gradient, for passes that need one."""
    if not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, torch.get_autocast_dtype(device), cache_enabled=False)


def _both(maps_of: Maker, images: Tensor, scale: float, known: Maps | None) -> tuple[Maps, Maps]:
    """The class maps of the scaled images and of their mirror images."""
    if scale == 1 and known is not None:
        return known, maps_of(images.flip(-1))
    size = floor_size(images.shape[2:], scale)
    scaled = images if scale == 1 else F.interpolate(images, size, mode="bilinear", align_corners=False)
    both = [maps.chunk(2) for maps in maps_of(torch.cat([scaled, scaled.flip(-1)]))]
    return tuple(a for a, _ in both), tuple(b for _, b in both)


def _enlarged(plain: Tensor, mirrored: Tensor, size: tuple[int, int], relu_first: bool) -> Tensor:
    """The larger of the two at each pixel, negative ones 0: (P, h, w) twice -> (P, H, W)."""
    if not len(plain):
        return plain.new_zeros(0, *size, dtype=torch.float32)
    pair = torch.stack([plain, mirrored]).float()  # (2, P, h, w)
    if relu_first:
        pair = pair.relu_()
    large = F.interpolate(pair, size, mode="bilinear", align_corners=False)
    return torch.maximum(large[0], large[1]).relu_()


def _in_place(cams: Tensor, owner: Tensor, channel: Tensor, shape: Sequence[int]) -> Tensor:
    """The maps of the classes present where they belong: (P, H, W) -> (B, C, H, W)."""
    out = cams.new_zeros(shape)
    out[owner, channel] = cams
    return out
