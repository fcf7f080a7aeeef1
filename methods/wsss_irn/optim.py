"""IRN's optimiser, as released: SGD almost without momentum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from wsss_irn.config import IrnOptimiser

MOMENTUM = 1e-4
"""The released PolyOptimizer passes weight_decay where torch's SGD takes momentum; its own 0.9 is the power of the
schedule. Trained with 0.9 the published rates 0.1 and 1.0 would be ten times larger steps."""


def sgd(
    groups: Sequence[tuple[Iterable[nn.Parameter], float]], weight_decay: float = 1e-4, momentum: float = MOMENTUM
) -> torch.optim.SGD:
    """SGD over (parameters, base rate) groups; parameters that need no gradient are left out."""
    rates = [{"params": [p for p in params if p.requires_grad], "lr": lr} for params, lr in groups]
    return torch.optim.SGD(rates, lr=rates[0]["lr"], momentum=momentum, weight_decay=weight_decay)  # type: ignore[arg-type]


def optimiser(config: IrnOptimiser, slow: nn.Module, fast: nn.Module) -> torch.optim.SGD:
    """`sgd` of a configuration; `fast` learns at head_factor times the rate."""
    groups = [(slow.parameters(), config.lr), (fast.parameters(), config.lr * config.head_factor)]
    return sgd(groups, config.weight_decay, config.momentum)
