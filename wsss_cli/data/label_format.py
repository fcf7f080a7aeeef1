"""How class ids are kept, decided here alone: bytes or, where there are more than 254 classes, 16 bits.

| classes         | on disk            | in memory | ignore |
| up to 254       | 8-bit palette PNG  | uint8     | 255    |
| up to 65,534    | 16-bit grey PNG    | int32     | 65535  |

int32, because neither PyTorch nor Pillow can do much with uint16. The type of an array or tensor of ids says which of
the two it is; what was cast to another type (`.long()`) no longer says it, and counts as the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.errors import WsssError

if TYPE_CHECKING:
    from torch import Tensor

Labels = NDArray[np.uint8] | NDArray[np.int32]


@dataclass(frozen=True)
class LabelFormat:
    """ignore: the id that is none; bits on disk; dtype: its name in memory, NumPy's and PyTorch's alike."""

    ignore: int
    bits: int
    dtype: str

    def tensor(self, ids: Tensor) -> Tensor:
        """Ids of any integer type as a label map of this format."""
        import torch

        return ids.to(getattr(torch, self.dtype))


BYTE = LabelFormat(255, 8, "uint8")
WORD = LabelFormat(65535, 16, "int32")
MOST_CLASSES = WORD.ignore - 1


def label_format(num_classes: int) -> LabelFormat:
    """The format for C classes, background not among them.  Raises WsssError if there are more than 65,534."""
    if num_classes > MOST_CLASSES:
        what = f"there are {num_classes:,} classes, but a label map can tell {MOST_CLASSES:,} apart"
        raise WsssError(what, "leave out or join classes")
    return BYTE if num_classes < BYTE.ignore else WORD


def present_ids(labels: Labels) -> list[int]:
    """The ids in a label map, in their order."""
    return np.flatnonzero(np.bincount(labels.ravel())).tolist()


def strange_ids(ids: Iterable[int], num_classes: int) -> list[int]:
    """Of ids those that are neither background, nor one of C classes, nor what is ignored."""
    ignore = label_format(num_classes).ignore
    return [id for id in ids if id > num_classes and id != ignore]


def format_of(labels: Any) -> LabelFormat:
    """The format of an array or tensor of ids, by its type."""
    return WORD if str(labels.dtype).removeprefix("torch.") == WORD.dtype else BYTE
