"""Local optimisation cropping: windows around pixels that surely show a class, and which patches they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from wsss_cli.cam.regions import SURE


class Window(NamedTuple):
    """Rows top..bottom and columns left..right, half-open."""

    top: int
    bottom: int
    left: int
    right: int

    def cut(self, images: Tensor) -> Tensor:
        """This part of every image: (B, 3, H, W) -> (B, 3, bottom - top, right - left)."""
        return images[:, :, self.top : self.bottom, self.left : self.right]

    def patches(self, patch: int) -> Window:
        """Without the rows and columns that fill no patch, which the network would drop."""
        height, width = ((b - a) // patch * patch for a, b in ((self.top, self.bottom), (self.left, self.right)))
        return Window(self.top, self.top + height, self.left, self.left + width)


def draw_windows(regions: Tensor, draws: Tensor, side: int) -> list[Window]:
    """A window for each draw, centred on a pixel drawn from all sure pixels of all images; none if no pixel is sure.

    [LOC-BE, released code; there no sure pixel is an error]
    regions (B, H, W) as of `region_map`; draws (n,) in [0, 1).
    """
    sure = (regions == SURE).flatten().nonzero()[:, 0]  # (S,), image by image, row by row
    if not len(sure):
        return []
    picks = (draws.to(sure.device).double() * len(sure)).long()
    return windows_at(sure[picks], (regions.shape[1], regions.shape[2]), side)


def windows_at(pixels: Tensor, size: tuple[int, int], side: int) -> list[Window]:
    """Windows of that side centred on pixels, cut off at the border: indices (n,) into (B, H, W); size H, W."""
    height, width = size
    rows, columns = pixels % (height * width) // width, pixels % width
    centres = torch.stack([rows, columns], 1).tolist()
    return [Window(*_span(y, side, height), *_span(x, side, width)) for y, x in centres]


def _span(centre: int, side: int, length: int) -> tuple[int, int]:
    """From half the side before the centre on, but within 0..length."""
    first = centre - side // 2
    return max(first, 0), min(first + side, length)


def by_size(crops: Sequence[Tensor]) -> list[list[int]]:
    """The indices of the crops (B, 3, h, w) of each size, in the order of their first."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, crop in enumerate(crops):
        groups.setdefault(tuple(crop.shape[2:]), []).append(i)
    return list(groups.values())
