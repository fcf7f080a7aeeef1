"""One line of the benchmark table."""

from dataclasses import dataclass


@dataclass
class Row:
    what: str
    ours: float
    theirs: float
    ratio: float
    note: str
