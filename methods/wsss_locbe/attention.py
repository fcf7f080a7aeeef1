"""The attention affinity loss that LOC-BE's repository holds and no training there uses."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.token_contrast import pairs


def attention_affinity(attention: Tensor, labels: Tensor) -> Tensor:
    """1/2 sum_same (1 - a) / (n_same + 1) + 1/2 sum_different a / (n_different + 1).

    Nothing calls it, here as there: the released VOC script leaves it out, the COCO script feeds it a mask that is
    defined nowhere and adds it to no loss.  It is kept, alone, so that what was released can be measured.  As released,
    a cell with itself is a pair, and every attention map meets every label map, while pairs are counted once.

    attention (B, 1, n, n) in [0, 1]; labels (B, h, w) ids and ignore, n = h w.
    """
    known = (labels != format_of(labels).ignore).flatten(1)  # (B, n)
    same, different = pairs(labels)  # (B, n, n)
    same = same | torch.diag_embed(known)
    close = ((1 - attention) * same).sum() / (same.sum() + 1)  # over (B, B, n, n)
    far = (attention * different).sum() / (different.sum() + 1)
    return 0.5 * close + 0.5 * far
