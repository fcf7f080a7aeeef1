"""One line of the benchmark table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Row:
    """What was measured, of ours and of theirs in one run, and how many times better ours is."""

    what: str
    ours: float
    theirs: float
    ratio: float
    note: str

    def __str__(self) -> str:
        return f"{self.what:32}{self.ours:10.3g}{self.theirs:10.3g}{self.ratio:7.1f}x  {self.note}"


HEAD = f"{'what':32}{'ours':>10}{'theirs':>10}{'ratio':>8}  note"


def table(rows: Iterable[Row]) -> str:
    return "\n".join([HEAD, *map(str, rows)])


def markdown(rows: Iterable[Row]) -> str:
    """The same as a table of Markdown."""
    head = ["| what | ours | theirs | ratio | note |", "|---|---|---|---|---|"]
    return "\n".join(head + [f"| {r.what} | {r.ours:.3g} | {r.theirs:.3g} | {r.ratio:.2g}x | {r.note} |" for r in rows])
