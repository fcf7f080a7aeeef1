"""SGD as the released code has it, almost without momentum."""

from __future__ import annotations

import torch

from wsss_ppmg.config import SeamOptimiser
from wsss_ppmg.nets import SeamNet


def optimiser(config: SeamOptimiser, net: SeamNet) -> torch.optim.SGD:
    """The backbone at the base rate, the head at `head_factor` times it; what is frozen is left out.

    The released groups of biases, at twice the rates, are empty: no convolution has one.
    """
    learns = [(name.startswith("backbone."), p) for name, p in net.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for body, p in learns if body], "lr": config.lr},
        {"params": [p for body, p in learns if not body], "lr": config.lr * config.head_factor},
    ]
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
