"""Class-aware attention affinity: CAMs spread by a transformer's own attention.  [Lin et al. 2023, released code]"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

ROUNDS = 3


def transition(affinity: Tensor) -> Tensor:
    """Three times columns, then rows are made to sum to 1; then the mean with its transpose: (..., n, n) -> the same.

    The papers' transition matrix is the square of this: `spread` applies it twice.
    """
    for _ in range(ROUNDS):
        affinity = affinity / affinity.sum(-2, keepdim=True)
        affinity = affinity / affinity.sum(-1, keepdim=True)
    return (affinity + affinity.transpose(-2, -1)) / 2


def spread(cams: Tensor, transition: Tensor) -> Tensor:
    """T T M: (n, h, w) with T (h w, h w) -> (n, h, w)."""
    flat = cams.flatten(1).T  # (h w, n)
    return (transition @ (transition @ flat)).T.unflatten(1, cams.shape[1:])


def boxes_of(cams: Tensor, threshold: float) -> Tensor:
    """Where a map may spread from: the boxes of what is above a share of its maximum, (n, h, w) -> the same, 0 and 1.

    Every 8-connected part of 255 M > int(threshold max 255 M) has a box; as released, one that touches the right or the
    bottom border loses its last column or row.
    """
    if not len(cams):
        return cams
    levels = (255 * cams.float()).to(torch.uint8).cpu().numpy()
    return torch.from_numpy(np.stack([_boxes(level, threshold) for level in levels])).to(cams, non_blocking=True)


def _boxes(level: np.ndarray, threshold: float) -> np.ndarray:
    mask = np.zeros(level.shape, np.float32)
    parts, _ = ndimage.label(level > int(threshold * level.max()), np.ones((3, 3)))
    for rows, columns in ndimage.find_objects(parts):
        mask[rows.start : min(rows.stop, level.shape[0] - 1), columns.start : min(columns.stop, level.shape[1] - 1)] = 1
    return mask
