"""The connected pieces of a label map, which other programs take as objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wsss_cli.data.label_format import Labels


@dataclass(frozen=True)
class Piece:
    """Pixels of one class that are joined by their sides.

    label  class id 1..C; x0, y0  where the crop `mask` (h, w) of bools lies in the image
    """

    label: int
    x0: int
    y0: int
    mask: NDArray[np.bool_]

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(self.mask.sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Half-open x0, y0, x1, y1."""
        height, width = self.mask.shape
        return self.x0, self.y0, self.x0 + width, self.y0 + height


def pieces(labels: Labels, num_classes: int, min_area: int = 1) -> Iterator[Piece]:
    """The pieces of classes 1..C, by class, then from top to bottom; ignored pixels belong to none.

    labels (H, W) ids.  Pieces of fewer than min_area pixels are left out.
    """
    for label, place in enumerate(ndimage.find_objects(labels, num_classes), 1):
        if place is None:
            continue
        numbered, _ = ndimage.label(labels[place] == label)  # 4-connected
        for number, part in enumerate(ndimage.find_objects(numbered), 1):
            mask = numbered[part] == number  # (h, w)
            if min_area <= 1 or mask.sum() >= min_area:
                yield Piece(label, place[1].start + part[1].start, place[0].start + part[0].start, mask)


def run_lengths(values: NDArray[np.bool_]) -> list[int]:
    """The lengths of runs of equal values in a flat array, the first of them of False (perhaps 0)."""
    changes = np.flatnonzero(np.diff(values, prepend=False))
    return [after - before for before, after in pairwise([0, *changes.tolist(), len(values)])]
