"""COCO's category ids as the authors' files count them: raw, 1 to 90, of which ten never occur."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.data.label_format import BYTE
from wsss_cli.data.labels import read_labels
from wsss_cli.errors import WsssError

MISSING = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})

RAW = (0, *(i for i in range(1, 91) if i not in MISSING))
"""The raw id of each of our 81 ids: background, then the 80 categories in the same order."""


def present_rows(weight: Tensor, num_classes: int, source: str) -> Tensor:
    """Of a classifier's rows (91, ...) those of our ids, (81, ...).

    Raises WsssError if the classifier or the data set counts otherwise.
    """
    if len(weight) != 91 or num_classes != len(RAW) - 1:
        what = f"{source} has {len(weight)} outputs and the data set {num_classes} classes"
        raise WsssError(f"raw_coco_ids: {what}, not 91 and 80", "leave raw_coco_ids=false, or use COCO's data set")
    return weight[list(RAW)]


def read_compact(path: Path) -> NDArray[np.uint8]:
    """A label map of raw ids as ours: (H, W) uint8.  Raises WsssError if it holds an id that never occurs."""
    table = np.full(256, 254, dtype=np.uint8)
    table[list(RAW)] = np.arange(len(RAW))
    table[BYTE.ignore] = BYTE.ignore
    raw = read_labels(path)
    labels = table[raw]
    if (labels == 254).any():
        what = f"{path} holds {raw[labels == 254][0]}, which is none of COCO's 80 raw category ids"
        raise WsssError(what, "leave raw_coco_ids=false for label maps of ids 0 to 80")
    return labels
