"""SGD in two groups: a slow one, and one that learns faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from wsss_cli.classifier.config import Sgd


def sgd(
    groups: Sequence[tuple[Iterable[nn.Parameter], float]], weight_decay: float, momentum: float
) -> torch.optim.SGD:
    """SGD over (parameters, base rate) groups; parameters that need no gradient are left out."""
    rates = [{"params": [p for p in params if p.requires_grad], "lr": lr} for params, lr in groups]
    return torch.optim.SGD(rates, lr=rates[0]["lr"], momentum=momentum, weight_decay=weight_decay)  # type: ignore[arg-type]


def optimiser(config: Sgd, slow: nn.Module, fast: nn.Module) -> torch.optim.SGD:
    """`sgd` of a configuration; `fast` learns at head_factor times the rate."""
    groups = [(slow.parameters(), config.lr), (fast.parameters(), config.lr * config.head_factor)]
    return sgd(groups, config.weight_decay, config.momentum)
