"""Cross-entropy in which background and classes weigh the same, however few pixels either has."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import Reduce


def two_part_cross_entropy(logits: Tensor, labels: Tensor, reduce: Reduce = lambda count: count) -> Tensor:
    """1/2 mean over background pixels + 1/2 mean over pixels of classes; a part that is empty is 0, not NaN.

    [Ru et al. 2022, 2023, released code]  logits (B, K, H, W); labels (B, H, W) ids and ignore, in their format.
    reduce  mean_over_ranks of the two counts: then the mean over ranks is the loss of the whole batch.
    """
    ignore = format_of(labels).ignore
    background, classes = labels == 0, (labels != 0) & (labels != ignore)
    counts = reduce(torch.stack([background.sum(), classes.sum()]).float())
    weight = 0.5 / counts.clamp(min=torch.finfo(torch.float32).tiny)
    each = F.cross_entropy(logits.float(), labels.long(), ignore_index=ignore, reduction="none")  # (B, H, W)
    sums = torch.stack([torch.where(part, each, 0).sum() for part in (background, classes)])
    return torch.where(counts > 0, sums * weight, 0).sum()
