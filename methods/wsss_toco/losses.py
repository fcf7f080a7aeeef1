"""ToCo's own loss."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-4


def class_token_contrast(student: Tensor, teacher: Tensor, flags: Tensor, temperature: float) -> Tensor:
    """Class tokens of the whole view and of its local crops should agree, unless a crop shows background.

    Per image, with Z_vj = exp(<t_v, s_j> / T) and N_v the sum of Z_vj over the background crops:
    sum_v [sum_{j not background} -log(Z_vj / (Z_vj + N_v + e)) - log(1 / (1 + N_v + e))] / 2 / (n + e), e = 1e-4,
    n the crops that are not background; mean over images.  [Ru et al. 2023, eq. 6, released code]  In logarithms, which
    do not overflow.

    student (V B, P), of V crops, the first two being the whole views; teacher (2 B, P) of these two; rows go crop by
    crop, within each image by image.  flags (B, V) 0 where the crop is background, else 1.
    """
    images = len(flags)
    s, t = (x.float().unflatten(0, (-1, images)).transpose(0, 1) for x in (student, teacher))  # (B, V, P), (B, 2, P)
    z = t @ s.transpose(1, 2) / temperature  # (B, 2, V)
    positive = (flags > 0)[:, None]  # (B, 1, V)
    least = z.new_full((*z.shape[:2], 1), math.log(EPS))
    negative = torch.cat([z.masked_fill(positive, -math.inf), least], 2).logsumexp(2, keepdim=True)  # log(N + e)
    terms = (F.softplus(negative - z) * positive).sum((1, 2)) + F.softplus(negative).sum((1, 2))  # (B,)
    return (terms / 2 / (positive.sum((1, 2)) + EPS)).mean()
