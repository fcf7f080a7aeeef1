"""How long a plan takes, corrected by the stages that are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

START = 3.0
"""Seconds of every step beside what is counted: modules, networks and weights are loaded, files are closed."""
UNSURE = 0.1, 10.0
"""Bounds of the correction: one stage of seconds says little of hours."""


@dataclass
class Forecast:
    """Estimated seconds of each step that is to come, by part; what those that are done have taken.

    parts   {step: {part: seconds}}
    partly  steps of which parts were kept: what they took says nothing of the others
    """

    parts: Mapping[str, Mapping[str, float]]
    took: dict[str, float] = field(default_factory=dict)
    partly: frozenset[str] = frozenset()

    def of(self, step: str) -> float:
        """As estimated at first; 0 of a step of which nothing was counted."""
        return START + sum(self.parts[step].values()) if self.parts.get(step) else 0.0

    @property
    def factor(self) -> float:
        """How much longer the steps that are done have taken than was estimated; 1 before the first."""
        counted = [step for step in self.took if self.of(step) > 0 and step not in self.partly]
        if not counted:
            return 1.0
        ratio = sum(self.took[step] for step in counted) / sum(self.of(step) for step in counted)
        return min(max(ratio, UNSURE[0]), UNSURE[1])

    @property
    def left(self) -> float:
        """Seconds of the steps to come, corrected."""
        return self.factor * sum(self.of(step) for step in self.parts if step not in self.took)

    def done(self, step: str, seconds: float) -> None:
        self.took[step] = seconds


def effort(total: float, learning: float, budget: float, least: float = 0.02) -> float:
    """The factor on the length of the trainings, which take `learning` of `total` seconds, that meets the budget.

    1 if they meet it as they are; never below `least`.
    """
    if total <= budget or not learning:
        return 1.0
    return max(least, (budget - (total - learning)) / learning)
