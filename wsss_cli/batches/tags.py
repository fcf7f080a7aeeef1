"""Image tags as networks learn them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def multi_hot(tags: Sequence[int], num_classes: int) -> Tensor:
    """Class ids 1..C -> (C,) of 0 and 1."""
    row = torch.zeros(num_classes)
    row[[t - 1 for t in tags]] = 1
    return row
