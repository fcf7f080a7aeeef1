"""The C library's heap, kept small: passes over images of many sizes leave it full of holes that fit no next image."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

STATM = Path("/proc/self/statm")
GROWN = 3
LEAST = 2**29  # bytes; below that nothing is gained


class Heap:
    """Gives unused memory back to the system whenever what the process holds has tripled.

    Not after each image: every page is then asked for anew.  Does nothing where the C library is not glibc.
    """

    def __init__(self) -> None:
        self.floor = max(LEAST, resident_bytes())

    def tidy(self) -> None:
        """Call it between images."""
        if resident_bytes() > GROWN * self.floor:
            give_back()
            self.floor = max(LEAST, resident_bytes())


def resident_bytes() -> int:
    """Memory that the process holds; 0 where that is not known."""
    return int(STATM.read_text().split()[1]) * mmap.PAGESIZE if STATM.is_file() else 0


def give_back() -> bool:
    """Whether there was anything to give back."""
    trim = _malloc_trim()
    return bool(trim and trim(0))


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
