"""COCO's category ids as the authors' files count them: raw, 1 to 90, of which ten never occur."""

from __future__ import annotations

from torch import Tensor

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
