"""Which cells belong together: pair labels of a label map, and the loss of predicted affinities."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import Reduce
from wsss_cli.nets.backbones.vit import Grid


def affinity_loss(
    affinity: Tensor,
    labels: Tensor,
    grid: Grid,
    radius: int,
    reduce: Reduce = lambda count: count,
    ranks: int = 1,
) -> Tensor:
    """1/2 sum_same (1 - P) / (n_same + 1) + 1/2 sum_different P / (n_different + 1).  [Ru et al. 2022, released code]

    Sums and counts go over the pairs of cells of all images of the batch, a cell with itself among them.

    affinity (B, n, n) in [0, 1], n = h w of the grid; labels (B, H, W) ids and ignore.
    radius         cells farther apart than this in rows or columns are no pair
    reduce, ranks  mean_over_ranks and their number: then the mean over ranks is the loss of the whole batch
    """
    same, different = cell_pairs(labels, grid, radius)
    counts = reduce(torch.stack([same.sum(), different.sum()]).float()) + 1 / ranks
    sums = torch.stack([((1 - affinity) * same).sum(), (affinity * different).sum()])
    return 0.5 * (sums / counts).sum()


def cell_pairs(labels: Tensor, grid: Grid, radius: int) -> tuple[Tensor, Tensor]:
    """Which pairs of near cells have the same class and which different ones: (B, H, W) -> (B, n, n) bool each."""
    small = F.interpolate(labels[:, None].float(), grid, mode="nearest")[:, 0]  # (B, h, w)
    flat, known = small.flatten(1), (small != format_of(labels).ignore).flatten(1)  # (B, n)
    pair = known[:, :, None] & known[:, None, :] & near(grid, radius, labels.device)
    equal = flat[:, :, None] == flat[:, None, :]
    return pair & equal, pair & ~equal


def near(grid: Grid, radius: int, device: torch.device | None = None) -> Tensor:
    """Whether two cells are at most `radius` rows and columns apart: (n, n) bool."""
    rows, columns = (torch.arange(side, device=device) for side in grid)
    y, x = (line.flatten() for line in torch.meshgrid(rows, columns, indexing="ij"))  # (n,)
    return ((y[:, None] - y).abs() <= radius) & ((x[:, None] - x).abs() <= radius)
