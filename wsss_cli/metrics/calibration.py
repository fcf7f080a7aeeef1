"""Whether a network that says 80 % is right in 80 of 100 pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor


def calibration(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Of the images' counts (`engine.certainty`): expected calibration error and the bins that hold pixels.

    Returns {"ece": in [0, 1], "bins": [{"pixels", "confidence", "accuracy"}, ...]}; None if no image has counts.
    """
    counts = [torch.tensor(row["bins"], dtype=torch.float64) for row in rows if row.get("bins")]
    if not counts:
        return None
    total = torch.stack(counts).sum(0)  # (3, B)
    filled = total[:, total[0] > 0]
    bins = [{"pixels": int(n), "confidence": s / n, "accuracy": r / n} for n, s, r in filled.T.tolist()]
    return {"ece": expected_error(total), "bins": bins}


def expected_error(bins: Tensor) -> float:
    """sum_b |B_b| / n * |accuracy - confidence|.  [Guo et al. 2017, eq. 3]

    bins (3, B): pixels, sum of their scores, right ones.  Returns it in [0, 1].
    """
    pixels, scores, right = bins
    return ((right - scores).abs().sum() / pixels.sum()).item()
