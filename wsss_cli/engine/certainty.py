"""How sure a network is of what it predicts, and how often it is right when it is: gathered while it predicts.

No scores are kept: a line per image holds a few numbers, by which `evaluate` tells how well the network is calibrated.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wsss_cli.data.label_format import Labels, label_format

BINS = 15
"""Equal steps of the score that pixels are counted in.  [Guo et al. 2017]"""


def certainty(scores: Tensor, truth: Labels | None) -> dict[str, Any]:
    """Of one image: its mean largest score, and where there is a mask, how often those of each height are right.

    scores (K, H, W) softmax, fused, at the size of the image that stages see; truth (H, W) ids at that size.
    Returns {"certainty": in [0, 1], "peaks": the largest score of each class 1..C, "bins": (3, BINS) pixels, sum of
    their scores, right ones}, no bins without a mask.
    """
    best, labels = scores.max(0)  # (H, W)
    peaks = [round(peak, 6) for peak in scores[1:].amax((1, 2)).tolist()]
    row: dict[str, Any] = {"certainty": round(best.mean().item(), 6), "peaks": peaks}
    if truth is None:
        return row
    expected = torch.from_numpy(truth).to(scores.device).long()
    known = expected != label_format(len(scores) - 1).ignore
    best, right = best[known], (labels == expected)[known]  # (n,)
    bins = (best * BINS).long().clamp_(0, BINS - 1)
    counts = [torch.bincount(bins, weights, BINS).double() for weights in (None, best.double(), right.double())]
    return row | {"bins": [[round(n, 3) for n in column] for column in torch.stack(counts).tolist()]}
