"""The allocator of CPU runs."""

from __future__ import annotations

import ctypes
import sys

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
