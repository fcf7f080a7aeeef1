"""How far a mean IoU would move if other images of the same kind had been scored.

Images are drawn anew with replacement, each as often as a Poisson number of mean 1 says, so that no image has to be
kept and ranks need not know of each other's [Chamandy et al. 2012, "Estimating uncertainty for massive data streams"].
"""

from __future__ import annotations

import hashlib
from math import prod

import numpy as np
import torch
from torch import Tensor

from wsss_cli.metrics.confusion import scores_of
from wsss_cli.protocol import MeanOver

DRAWS = 200
LEAST = 40
"""Draws of which an interval can still be read."""
NUMBERS = 5_000_000
"""Counts that all draws together may hold: 40 MB."""
LIMITS = (0.025, 0.975)


def draw(identity: str, draws: int = DRAWS) -> Tensor:
    """(draws,) float64, how often each draw has the image of that id; the same on every machine and in every run."""
    seed = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
    return torch.from_numpy(np.random.default_rng(seed).poisson(1.0, draws)).double()


class Bootstrap:
    """The tallies of all draws: add each image's, sum over ranks, then ask for the interval.

    tallies  (draws, ..., 3, K) float64, whole numbers; fewer draws, or none, where they would take much memory
    """

    def __init__(self, *shape: int) -> None:
        draws = min(DRAWS, NUMBERS // prod(shape))
        self.tallies = torch.zeros(draws if draws >= LEAST else 0, *shape, dtype=torch.float64)

    def add(self, identity: str, counts: Tensor) -> None:
        """counts: the image's tally (..., 3, K)."""
        self.tallies.flatten(1).addr_(draw(identity, len(self.tallies)), counts.flatten().double())  # in place: a view


def interval(tallies: Tensor, mean_over: MeanOver) -> tuple[float, float] | None:
    """The mean IoU, in [0, 1], that 2.5 % and 97.5 % of the draws (D, 3, K) stay below; None without any."""
    mious = torch.tensor([scores_of(counts, mean_over).miou for counts in tallies], dtype=torch.float64)
    if mious.isnan().all():
        return None
    low, high = torch.nanquantile(mious, torch.tensor(LIMITS, dtype=torch.float64)).tolist()
    return low, high
