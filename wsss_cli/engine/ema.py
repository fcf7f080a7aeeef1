"""A teacher that is the running mean of what is trained."""

from __future__ import annotations

from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Every parameter: theta_t <- momentum theta_t + (1 - momentum) theta_s."""
    mine, theirs = list(teacher.parameters()), list(student.parameters())
    get_ema_multi_avg_fn(momentum)(mine, theirs, 0)
