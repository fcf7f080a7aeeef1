"""COCO's run-length codes: pixels down the columns, in turns outside and inside, as a list of counts or as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.images import require_pixels
from wsss_cli.data.run_lengths import uncompressed


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

    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the box around the pixels inside, half-open; without area if there are none."""
        inside = self.pixels()  # (H, W)
        ys, xs = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(xs):
            return 0.0, 0.0, 0.0, 0.0
        return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)


def read_runs(rle: Mapping[str, Any]) -> Runs:
    """COCO's {"size": [height, width], "counts": list or text}.

    Raises ValueError, KeyError or TypeError if it is none, or if the counts do not fill the image.
    """
    height, width = map(int, rle["size"])
    require_pixels(width, height)
    counts = rle["counts"]
    if isinstance(counts, str):
        counts = counts.encode()
    runs = Runs(height, width, tuple(map(int, uncompressed(counts) if isinstance(counts, bytes) else counts)))
    if min(runs.counts, default=0) < 0 or sum(runs.counts) != height * width:
        raise ValueError(f"its counts are not those of {width} x {height} pixels")
    return runs


def united(parts: Sequence[Runs]) -> Runs | None:
    """All that is inside of any; None of none.  Raises ValueError if they are of several sizes."""
    if len({(part.height, part.width) for part in parts}) > 1:
        raise ValueError("its run lengths are of several sizes")
    if len(parts) < 2:
        return parts[0] if parts else None
    return runs_of(np.any([part.pixels() for part in parts], axis=0))


def runs_of(mask: NDArray[np.bool_]) -> Runs:
    """The run lengths of a mask (height, width)."""
    height, width = mask.shape
    inside = np.concatenate([[False], mask.T.ravel(), [False]])  # down the columns
    changes = np.flatnonzero(inside[1:] != inside[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return Runs(height, width, tuple(counts.tolist()))
