"""Pyramid hybrid pooling: a class counts as present by its strongest cell and, less so, by its extent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEVELS = (1, 2, 8)


def hybrid_pool(maps: Tensor, levels: Sequence[int] = LEVELS, peak: float = 2.0) -> Tensor:
    """(peak max(x) + sum_i A_i(x)) / (peak + number of levels), per channel.  [LOC-BE, released code]

    A_i is the mean over i x i cells of floor(h / i) x floor(w / i) each, one at least: cells of one size, so it is the
    mean of what they cover, and the rows and columns left over do not count.

    maps (B, D, h, w) -> (B, D, 1, 1).
    """
    means = [_covered(maps, level).mean((2, 3), keepdim=True) for level in levels]
    total = peak * maps.amax((2, 3), keepdim=True) + torch.stack(means).sum(0)
    return total / (peak + len(levels))


def _covered(maps: Tensor, level: int) -> Tensor:
    """The part that whole cells cover: (B, D, h, w) -> (B, D, h', w')."""
    h, w = maps.shape[2:]
    cell_h, cell_w = max(1, h // level), max(1, w // level)  # released: a map of less than `level` cells crashes
    return maps[:, :, : h - h % cell_h, : w - w % cell_w]
