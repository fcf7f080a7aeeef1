"""How many of 16 bits are used: cameras and scanners keep 10, 12 or 14 in 16, which would be shown nearly black."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wsss_cli.data.images import kind_of_file, read_values
from wsss_cli.data.picture import DEEPEST, Reading
from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import ParallelMap

DEPTHS = (8, 10, 12, 14)  # bits that sensors have; of more, nothing is left empty
SHALLOW = (".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp")  # endings of 8 bits: not looked into


@dataclass(frozen=True)
class White:
    """The value that is white in all images of 16 bits, and how many these are."""

    level: int
    images: int

    @property
    def warning(self) -> str:
        bits = self.level.bit_length()
        return (
            f"{self.images} image(s) of 16 bits hold values of {bits} bits only: {self.level} is shown as white in all "
            f"of them (--white-level {DEEPEST} would show them nearly black, as they are)"
        )


def find_white(paths: Sequence[Path], how: Reading) -> White | None:
    """The white of the images that may leave some of 16 bits empty, over all of them; None if they use all.

    Images that cannot be read do not count: what is wrong with them is told later.
    """
    deep = [path for path in paths if path.suffix.lower() not in SHALLOW]
    found = [value for value in ParallelMap(partial(_brightest, how=how), deep) if value is not None]
    level = next((2**bits - 1 for bits in DEPTHS if max(found, default=DEEPEST) < 2**bits), None)
    return White(level, len(found)) if level else None


def _brightest(path: Path, how: Reading) -> int | None:
    """The largest value of an image of 16 bits; None of any other."""
    try:
        return int(read_values(path, how).max()) if kind_of_file(path, how).may_hold_less else None
    except WsssError:
        return None
