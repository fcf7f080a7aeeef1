"""Patch tokens of one class should look alike, those of different classes not: ToCo's PTC, LOC-BE's SC, PUF's AFF."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import Reduce


def token_contrast(features: Tensor, labels: Tensor, reduce: Reduce = lambda count: count, ranks: int = 1) -> Tensor:
    """1/2 (1 - sum_same S / (n_same + 1)) + 1/2 sum_different S / (n_different + 1), S = |cos(f_i, f_j)|.

    [Ru et al. 2023, eq. 5, released code]  Sums and counts go over all pairs of cells of an image, of all images of the
    batch; a cell with itself is no pair, nor is one with an ignored cell.  0.5 where there is no pair.

    features (B, D, h, w); labels (B, h, w) ids and ignore, in their format.
    reduce, ranks  mean_over_ranks and their number: then the mean over ranks is the loss of the whole batch.
    """
    same, different = pairs(labels)
    unit = F.normalize(features.float().flatten(2), dim=1)  # (B, D, n)
    alike = (unit.transpose(1, 2) @ unit).abs()  # (B, n, n)
    counts = reduce(torch.stack([same.sum(), different.sum()]).float()) + 1 / ranks
    sums = torch.stack([(alike * same).sum(), (alike * different).sum()])
    close, far = sums / counts
    return 0.5 * (1 - close) + 0.5 * far


def pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which cells have the same class and which different ones: (B, h, w) -> (B, n, n) bool each, n = h w."""
    flat, ignore = labels.flatten(1), format_of(labels).ignore  # (B, n)
    known = flat != ignore
    both = known[:, :, None] & known[:, None, :]
    equal = flat[:, :, None] == flat[:, None, :]
    same = both & equal
    same.diagonal(dim1=1, dim2=2).fill_(False)
    return same, both & ~equal
