"""What was found in the data: one line for people, a kind and the images' ids for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "warning", "error"]
SHOWN = 10  # ids or problems named in one message; the rest is counted


@dataclass(frozen=True)
class Finding:
    """One thing found: what (naming the file, split or ids), and what to do about it.

    kind    a fixed word for programs, "" where there is nothing to act on; docs/checking.md lists them
    images  the ids of all images concerned, of which `what` may name only the first
    Findings that say the same are equal.
    """

    level: Level
    what: str
    remedy: str = ""
    kind: str = field(default="", compare=False)
    images: tuple[str, ...] = field(default=(), compare=False)

    @property
    def line(self) -> str:
        """For the terminal."""
        return f"{self.what} ({self.remedy})" if self.remedy else self.what


def some(things: Sequence[str]) -> str:
    """The first few, and how many more."""
    rest = len(things) - SHOWN
    return ", ".join(things[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
