"""The optimiser in two groups, a slow one and one that learns faster; and its schedule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from wsss_cli.classifier.config import Sgd
from wsss_cli.engine.optimiser import factor, optimizer
from wsss_cli.engine.schedules import poly


def optimiser(config: Sgd, slow: nn.Module, fast: nn.Module) -> torch.optim.Optimizer:
    """`fast` learns at head_factor times the rate; parameters that need no gradient are left out."""
    return optimizer([(slow.parameters(), config.lr), (fast.parameters(), config.lr * config.head_factor)], config)


def rates(config: Sgd, total: int) -> Callable[[int], float]:
    """Iteration k to the factor on both rates."""
    return factor(config, total, lambda k: poly(k, total, config.power))
