"""COCO's compressed run lengths, read without pycocotools: its decoder trusts the text, and warns with numpy 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_RUNS = "counts of its segmentation are no run lengths"


def uncompressed(counts: bytes) -> NDArray[np.int64]:
    """COCO's compressed run lengths: groups of 5 bits, lowest first, bit 6 set if more follow, 48 added.

    The highest bit of a group's last five is its sign; from the fourth on, each is the difference to the last but one.
    [pycocotools, rleFrString]  Raises ValueError if they are none.
    """
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48  # (n,)
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise ValueError(NO_RUNS)
    last = np.flatnonzero(codes & 32 == 0)  # (m,) of each group
    first = np.concatenate([[0], last[:-1] + 1])
    sizes = last - first + 1
    if sizes.max() > 7:  # no image has 2^35 pixels
        raise ValueError(NO_RUNS)
    shifts = 5 * (np.arange(len(codes)) - np.repeat(first, sizes))  # (n,)
    runs = np.add.reduceat((codes & 31) << shifts, first)  # (m,)
    runs -= (codes[last] & 16 != 0) * (1 << 5 * sizes)
    for start in (1, 2):
        runs[start::2] = np.cumsum(runs[start::2])
    return runs
