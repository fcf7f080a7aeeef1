"""SGD as the released code has it, almost without momentum."""

from __future__ import annotations

import torch

from wsss_cli.engine.optimiser import optimizer
from wsss_ppmg.config import SeamOptimiser
from wsss_ppmg.nets import SeamNet


def optimiser(config: SeamOptimiser, net: SeamNet) -> torch.optim.Optimizer:
    """The backbone at the base rate, the head at `head_factor` times it; what is frozen is left out.

    The released groups of biases, at twice the rates, are empty: no convolution has one.
    """
    named = [(name.startswith("backbone."), p) for name, p in net.named_parameters()]
    head = [p for body, p in named if not body]
    return optimizer([([p for body, p in named if body], config.lr), (head, config.lr * config.head_factor)], config)
