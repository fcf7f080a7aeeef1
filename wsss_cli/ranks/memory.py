"""The memory of CPU runs: their allocator, and how many processes there is room for."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let glibc's malloc reuse large freed blocks instead of returning each to the kernel.

    A network's activations are blocks of many megabytes; mapped afresh for every layer, clearing their pages costs
    two to three times the arithmetic of MobileNetV2 (bench/memory.py). The process keeps its peak memory.
    Does nothing where there is no glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, LARGEST)


def affordable(workers: int, need: int, ranks: int = 1) -> int:
    """How many of the worker processes have room if each needs so many bytes; 1 at least, all where memory is unknown.

    ranks: how many such pools this machine is to hold.
    """
    free = available_memory()
    return workers if free is None or need <= 0 else max(1, min(workers, free // ranks // need))


def available_memory() -> int | None:
    """Bytes that new processes can take before the machine swaps or kills; None where the system does not say."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    rows = (line.split() for line in meminfo.read_text().splitlines())
    return next((int(row[1]) << 10 for row in rows if row[0] == "MemAvailable:"), None)
