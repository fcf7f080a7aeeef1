"""Random numbers that are the same on every machine and with every version of numpy.

numpy keeps the raw stream of a bit generator stable, but not what Generator makes of it [NEP 19]; so this file does
the little that is needed itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Draws:
    """A stream of random numbers; `key` is a tuple of integers that names it."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def field(self, h: int, w: int) -> NDArray[np.float64]:
        """(h, w) numbers uniform in [0, 1): the high 53 bits of each raw word."""
        raw: NDArray[np.uint64] = self._bits.random_raw(h * w)
        return ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(h, w)

    def between(self, low: float, high: float) -> float:
        """One number uniform in [low, high)."""
        return low + (high - low) * float(self.field(1, 1)[0, 0])

    def below(self, n: int) -> int:
        """One integer in 0..n-1."""
        return int(self.between(0.0, n))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.between(0.0, 1.0) < p
