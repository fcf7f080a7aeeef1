"""Statistics of batch norms, taken anew once the weights stand still [precise BN; Wu & Johnson 2021, sec. 3]."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from wsss_cli.ranks.distributed import mean_over_ranks


@torch.no_grad()
def renew_statistics(model: nn.Module, batches: Iterable[Any], forward: Callable[[Any], object]) -> None:
    """Give the batch norms that learn the mean of the statistics of these batches, over all ranks.

    forward  forward(batch): a pass through the model, in training mode; norms in eval mode keep what they have
    """
    learning = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training and m.track_running_stats]
    momenta = [norm.momentum for norm in learning]
    for norm in learning:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for: all batches alike
    for batch in batches:
        forward(batch)
    for norm, momentum in zip(learning, momenta):
        norm.momentum = momentum
        for statistic in (norm.running_mean, norm.running_var):
            if statistic is not None:
                statistic.copy_(mean_over_ranks(statistic))
