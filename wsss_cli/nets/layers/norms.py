"""Normalisation layers."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class PooledBatchNorm(nn.BatchNorm2d):
    """Batch norm that, given a single value per channel, uses the running statistics.

    One pooled image has no variance, and torch refuses it; an epoch's last batch may well be one image.  Converted to
    SyncBatchNorm it becomes an ordinary one, which counts the images of all ranks.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)
