"""What the student is compared with: the teacher, its running mean, and the running means of the teacher's scores."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from wsss_cli.ranks.distributed import mean_over_ranks
from wsss_puf.nets import SelfReinforced


def make_teacher(student: SelfReinforced, steady: bool) -> SelfReinforced:
    """A copy that no gradient reaches; `steady`: without stochastic depth."""
    return copy.deepcopy(student).requires_grad_(False).train(not steady)


class Centres(nn.Module):
    """Running means of the teacher's scores, of class tokens and of patches: C <- m C + (1 - m) mean of the batch.

    `see` takes the mean of a part of the batch, `update` those of all parts and ranks together: so the whole batch's
    mean counts, once it has been used, however it was split.
    """

    classes: Tensor  # (1, P)
    patches: Tensor  # (1, P)

    def __init__(self, outputs: int, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum
        for name in ("classes", "patches"):
            self.register_buffer(name, torch.zeros(1, outputs))
        self._seen: dict[str, list[Tensor]] = {}

    def see(self, name: str, mean: Tensor) -> None:
        """mean (1, P) of "classes" or "patches"."""
        self._seen.setdefault(name, []).append(mean.float())

    def update(self) -> None:
        """Take over what was seen since the last time."""
        for name, means in sorted(self._seen.items()):
            mean = mean_over_ranks(torch.stack(means).mean(0))
            self.get_buffer(name).lerp_(mean, 1 - self.momentum)
        self._seen.clear()
