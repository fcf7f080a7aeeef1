"""Class maps of several scales, merged into CAMs.  [Ahn, Cho, Kwak, CVPR 2019, released code]"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

STRIDE = 4  # of the CAMs kept on disk
EPS = 1e-5


def strided_size(size: tuple[int, int], stride: int = STRIDE) -> tuple[int, int]:
    """ceil(H / stride), ceil(W / stride)."""
    return (size[0] - 1) // stride + 1, (size[1] - 1) // stride + 1


def fold(raw: Tensor) -> Tensor:
    """relu(image) + mirrored back relu(mirrored image): (2, P, h, w) class maps before ReLU -> (P, h, w)."""
    return raw[0].relu() + raw[1].relu().flip(-1)


def merge(folded: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """The CAMs at stride 4: sum over scales of the enlarged maps, each divided by its maximum.

    folded: per scale (P, h, w) from `fold`; size (H, W) of the image.
    Only the maps asked for need be given: the classes present, of one image or of several of the same size.
    Returns (P, ceil(H / 4), ceil(W / 4)) in [0, 1).
    """
    return normalise(_sum_of_scales(folded, strided_size(size)))


def merge_high_res(folded: Sequence[Tensor], size: tuple[int, int], feature_stride: int = 16) -> Tensor:
    """The same at full resolution: enlarged to whole feature cells, then cropped to (P, H, W)."""
    h, w = strided_size(size, feature_stride)
    whole = _sum_of_scales(folded, (h * feature_stride, w * feature_stride))  # (P, H', W')
    return normalise(whole[:, : size[0], : size[1]])


def normalise(cam: Tensor) -> Tensor:
    """cam / (max + 1e-5), each map by its own maximum: (P, h, w) -> (P, h, w)."""
    return cam / (cam.amax((1, 2), keepdim=True) + EPS)


def _sum_of_scales(folded: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Bilinear, align_corners False, to `size`, summed: (P, *size)."""
    return sum((upsample(maps, size) for maps in folded), start=folded[0].new_zeros(()))


def upsample(cam: Tensor, size: tuple[int, int]) -> Tensor:
    """(P, h, w) -> (P, H, W), bilinear, align_corners False; P may be 0, which torch refuses."""
    if not len(cam):
        return cam.new_zeros(0, *size)
    return F.interpolate(cam[None], size, mode="bilinear", align_corners=False)[0]
