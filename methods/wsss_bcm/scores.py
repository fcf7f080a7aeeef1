"""A score of deeplab-pytorch's that the released code reports."""

from __future__ import annotations

from torch import Tensor

from wsss_cli.metrics.confusion import class_iou


def frequency_weighted_iou(matrix: Tensor) -> float:
    """The mean IoU weighted by each class's share of the ground truth: confusion matrix (K, K) -> scalar."""
    share = matrix.sum(1) / matrix.sum()
    there = share > 0
    return (share[there] * class_iou(matrix)[there]).sum().item()
