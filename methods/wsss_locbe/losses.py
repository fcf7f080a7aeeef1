"""LOC-BE's own loss: the class tokens of whole images against those of local windows."""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-6  # of torch's pairwise distance


def contrast_across_images(whole: Tensor, local: Tensor, tags: Tensor, margin: float = 1.0) -> Tensor:
    """p mean(D^2) + (1 - p) mean(max(0, margin - D)^2), D_ik = sqrt(sum_j (g_ik - l_jk + 1e-6)^2), p = mean(tags).

    As the released code computes it: a distance across the batch for each channel, where one across the channels for
    each image seems meant.  The gradient goes through the whole images' tokens, too.

    whole (B, D) class tokens of the images; local (B, D) of one window of each; tags (B, C) 0/1.
    """
    distance = torch.linalg.vector_norm(_differences(whole, local), dim=1)  # (B, D)
    return _contrast(distance, tags.float().mean(), margin)


def contrast_per_image(whole: Tensor, local: Tensor, margin: float = 1.0) -> Tensor:
    """mean_ij of D_ij^2 for i = j and of max(0, margin - D_ij)^2 for others, D_ij = |sg(g_i) - l_j|.

    What the paper's figure shows: a window's token is drawn to that of its own image, which does not move (sg stops
    the gradient).  Ours; the released code has `contrast_across_images`.

    whole, local (B, D).
    """
    distance = torch.linalg.vector_norm(_differences(whole.detach(), local), dim=2)  # (B, B)
    return _contrast(distance, torch.eye(len(whole), device=whole.device), margin)


def _differences(whole: Tensor, local: Tensor) -> Tensor:
    """g_i - l_j: (B, D) twice -> (B, B, D).  Never exactly 0, where a distance has no gradient."""
    return whole.float()[:, None] - local.float()[None] + EPS


def _contrast(distance: Tensor, same: Tensor, margin: float) -> Tensor:
    apart = (margin - distance).clamp(min=0)
    return (same * distance**2 + (1 - same) * apart**2).mean()
