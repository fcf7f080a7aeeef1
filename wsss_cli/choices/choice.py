"""A chosen value with its reason, and what a method says of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A setting that was chosen, "STAGE.KEY"; without a dot what was chosen for the run as a whole: "method"."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Proposal:
    """What a method offers for a data set on a machine.

    rank     how well it fits, higher is better; `full` the same for learning from the masks, None if it cannot
    reason   why it fits as it does, for the user
    choices  its settings
    refused  why it cannot learn from this at all; ""
    """

    rank: int
    reason: str
    choices: tuple[Choice, ...]
    refused: str = ""
    full: int | None = None


def under(prefix: str, choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """The same with longer keys: of the settings within a stage's."""
    return tuple(Choice(f"{prefix}.{choice.key}", choice.value, choice.reason) for choice in choices)


def best(proposals: Mapping[str, Proposal], full: bool) -> str | None:
    """The name of the best one that is not refused, of those that learn from masks if `full`; None if there is none."""
    able = {name: rank for name, p in proposals.items() if not p.refused and (rank := _rank(p, full)) is not None}
    return max(able, key=lambda name: able[name], default=None)


def _rank(proposal: Proposal, full: bool) -> int | None:
    return proposal.full if full else proposal.rank


def refusals(proposals: Mapping[str, Proposal]) -> Sequence[str]:
    """Why none can, each reason once."""
    return list(dict.fromkeys(p.refused for p in proposals.values() if p.refused))
