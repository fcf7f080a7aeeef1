"""SEAM's pixel correlation module: class maps revised by which pixels look alike  [Wang et al. 2020, sec. 3.3]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5
BLOCK = 1 << 22  # similarities that are in memory at once where no gradient is wanted


def sharpened(cam: Tensor) -> Tensor:
    """What is revised: each class in [0, 1], of the classes only the highest at a pixel, background the rest.

    d = relu(cam), n_k = relu(d_k - eps) / (max d_k + eps); n_0 = 1 - max_{k>0} n_k, lower n_k are 0.

    cam (B, K, h, w), background first.  Returns the same shape, without gradient.
    """
    d = cam.detach().relu()
    n = F.relu(d[:, 1:] - EPS) / (d[:, 1:].amax((2, 3), keepdim=True) + EPS)  # (B, C, h, w)
    highest = n.amax(1, keepdim=True)
    return torch.cat([1 - highest, n.masked_fill(n < highest, 0)], 1)


def revise(maps: Tensor, features: Tensor) -> Tensor:
    """Each pixel's mean of the maps over all pixels, weighted by relu(cosine similarity).

    out_j = sum_i maps_i a_ij / (sum_i a_ij + eps), a = relu(f^T f), f the features of unit length.

    maps (B, P, h, w); features (B, D, h, w).  Returns (B, P, h, w).
    """
    f = features.flatten(2)  # (B, D, N), N = h w
    f = f / (f.norm(dim=1, keepdim=True) + EPS)
    rows = maps.flatten(2)  # (B, P, N)
    # the sums of the columns come with the same product: the matrix is not read once more to be divided
    rows = torch.cat([rows, torch.ones_like(rows[:, :1])], 1)  # (B, P + 1, N)
    at_once = f.shape[2] if torch.is_grad_enabled() else max(16, BLOCK // (f.shape[0] * f.shape[2]))
    parts = [rows @ (f.transpose(1, 2) @ some).relu_() for some in f.split(at_once, 2)]
    product = torch.cat(parts, 2)  # (B, P + 1, N)
    return (product[:, :-1] / (product[:, -1:] + EPS)).view_as(maps)
