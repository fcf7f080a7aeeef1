"""The C library's heap, kept small: passes over images of many sizes leave it full of holes that fit no next image."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from wsss_cli.bounds import memory

STATM = Path("/proc/self/statm")
SHARE = 4  # a process that holds less than a fourth of the memory harms nobody, and giving back takes time


class Heap:
    """Gives unused memory back to the system where the process holds a fourth of all; what stays may then double.

    Not after each image: every page is then asked for anew.  Does nothing where the C library is not glibc.
    """

    def __init__(self) -> None:
        self.limit = memory() // SHARE

    def tidy(self) -> None:
        """Call it between images."""
        if resident_bytes() > self.limit:
            give_back()
            self.limit = max(self.limit, 2 * resident_bytes())


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
