"""The band along the boundary of a binary mask."""

from __future__ import annotations

from torch import Tensor


def boundary_band(mask: Tensor, size: int = 1) -> Tensor:
    """The pixels within `size` of the mask's boundary: dilation minus erosion, (2 size + 1)^2; image borders are none.

    mask (B, H, W) bool.  Returns the same.
    """
    return dilate(mask, size) & ~erode(mask, size)


def dilate(mask: Tensor, size: int) -> Tensor:
    """(B, H, W) bool -> (B, H, W) bool: true where any pixel of the square around is."""
    for dim in (1, 2):
        length = mask.shape[dim]
        out = mask.clone()
        for d in range(1, min(size, length - 1) + 1):
            out.narrow(dim, 0, length - d).logical_or_(mask.narrow(dim, d, length - d))
            out.narrow(dim, d, length - d).logical_or_(mask.narrow(dim, 0, length - d))
        mask = out
    return mask


def erode(mask: Tensor, size: int) -> Tensor:
    """(B, H, W) bool -> (B, H, W) bool: true where every pixel of the square around is."""
    return ~dilate(~mask, size)
