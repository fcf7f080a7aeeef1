"""COCO's run-length codes: pixels down the columns, in turns outside and inside, as a list of counts or as text.

pycocotools is not used for this: its decoder trusts the counts, and warns with numpy 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Runs:
    """counts of pixels outside, inside, outside, ... of an image of height x width."""

    height: int
    width: int
    counts: tuple[int, ...]

    def pixels(self) -> NDArray[np.bool_]:
        """(height, width) whether a pixel is inside."""
        inside = np.arange(len(self.counts)) % 2 == 1
        return np.repeat(inside, self.counts).reshape(self.width, self.height).T  # (W * H) -> (H, W)


def read_runs(rle: Mapping[str, Any]) -> Runs:
    """COCO's {"size": [height, width], "counts": list or text}.

    Raises ValueError, KeyError or TypeError if it is none, or if the counts do not fill the image.
    """
    height, width = map(int, rle["size"])
    counts = rle["counts"]
    if isinstance(counts, str):
        counts = counts.encode()
    runs = Runs(height, width, tuple(_unpack(counts)) if isinstance(counts, bytes) else tuple(map(int, counts)))
    if min(runs.counts, default=0) < 0 or sum(runs.counts) != height * width:
        raise ValueError(f"its counts are not those of {width} x {height} pixels")
    return runs


def _unpack(text: bytes) -> list[int]:
    """Five bits per character from the lowest on, 32 for more to come, 16 in the last for a negative number.

    From the fourth on a count is told as its difference to the one two before.  [COCO API, maskApi.c, rleFrString]
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) << (shift - 4)
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts
