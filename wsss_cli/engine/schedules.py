"""Learning-rate schedules as the papers define them: iteration k, counted from 0, to a factor on the base rate.

The factor is set before step k. Nothing here has state, so a resumed run needs only k.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Warmed:
    """`at`, iteration k to factor, of a schedule that rises for `warm_up` iterations first."""

    at: Callable[[int], float]
    warm_up: int

    def __call__(self, k: int) -> float:
        return self.at(k)

    def lost(self, total: int) -> str:
        """What a training of so many iterations does not reach, as it ends before the rate has risen; ""."""
        if self.warm_up <= total:
            return ""
        reached = 100 * max(map(self.at, range(total)))
        short = f"warm_up {self.warm_up} is longer than the whole training, {total} iterations"
        return f"{short}: the rate only reaches {reached:.2g} % of what is set"


def poly(k: int, total: int, power: float = 0.9, floor: float = 0.0, every: int = 1) -> float:
    """max((1 - k' / total)^power, floor), k' = k rounded down to a multiple of `every`, at most total.

    floor is a share of the base rate (BECO: 1e-5 / 0.01); every > 1 holds the rate between updates (BCM: 10).
    """
    held = min(k - k % every, total)
    return max((1 - held / total) ** power, floor)


def warmup_poly(k: int, total: int, warmup: int = 1500, ratio: float = 1e-6, power: float = 0.9) -> float:
    """Linear from `ratio` to 1 in `warmup` iterations, then `poly` of k itself, which does not restart there.

    Held from the last iteration, total - 1, on.  [Ru et al. 2023, released code]
    """
    return warm_up(k, warmup, ratio) if k < warmup else poly(min(k, total - 1), total, power)


def warmup_cosine(k: int, total: int, warmup: int = 1500, ratio: float = 0.1) -> float:
    """Linear from `ratio` to 1 in `warmup` iterations, then half a cosine down to 0 at total.  [PUF, released code]"""
    if k < warmup:
        return warm_up(k, warmup, ratio)
    return 0.5 + 0.5 * math.cos(math.pi * (min(k, total) - warmup) / max(1, total - warmup))


def warm_up(k: int, warmup: int, ratio: float) -> float:
    """1 - (1 - k / warmup) (1 - ratio), for k < warmup."""
    return 1 - (1 - k / warmup) * (1 - ratio)
