"""Scores of the image that the network saw, at the photo's own size: some rows at a time, as all would take GBs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import Labels, label_format

AT_ONCE = 1 << 23  # scores, 32 MiB of float32


def bands(scores: Tensor, size: Sequence[int], at_once: int = AT_ONCE) -> Iterator[Tensor]:
    """The scores (K, h, w) at size H, W, bilinear (align_corners False): parts (K, n, W) from top to bottom.

    Whole and as they are where they have that size.
    """
    (classes, h, w), (height, width) = scores.shape, size
    if (h, w) == (height, width):
        yield scores
        return
    rows = torch.arange(height, device=scores.device)
    at = ((rows + 0.5) * (h / height) - 0.5).clamp(min=0)  # (H,) in rows of the scores, as torch counts
    above = at.long()
    below, share = (above + 1).clamp(max=h - 1), (at - above).to(scores.dtype)
    for part in rows.split(max(1, at_once // (classes * width))):
        mixed = torch.lerp(scores[:, above[part]], scores[:, below[part]], share[part, None])  # (K, n, w)
        yield F.interpolate(mixed[None], (len(part), width), mode="bilinear", align_corners=False)[0]


def winners(scores: Tensor, size: Sequence[int]) -> Labels:
    """The label map (H, W) of the highest of the scores (K, h, w), background first, at that size."""
    form = label_format(len(scores) - 1)
    return np.concatenate([form.tensor(part.argmax(0)).cpu().numpy() for part in bands(scores, size)])
