"""Whether pictures are masks of others, by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from wsss_cli.data.images import image_size, opened
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import Found

LOOKED_AT = 8  # pictures of a group
VALUES, SHARE = 32, 0.98  # so few values have so many of a mask's pixels, even if it was saved as JPEG

T = TypeVar("T")
Pair = tuple[Found, Found]  # a mask and its image


def some_of(group: Sequence[T]) -> Sequence[T]:
    """Those of a group that are looked at."""
    return group[:: max(len(group) // LOOKED_AT, 1)][:LOOKED_AT]


def are_masks(pairs: Sequence[Pair]) -> bool:
    """Whether the first of each pair has few values, and the size of the second, of which some have many."""
    some = some_of(pairs)
    masks = all(has_few_values(mask.path) and _of_one_size(mask.path, image.path) for mask, image in some)
    return bool(some) and masks and not all(has_few_values(image.path) for _, image in some)


def has_few_values(path: Path) -> bool:
    """Whether nearly all pixels have one of a few grey values; False for what cannot be opened."""
    try:
        with opened(path, path) as image:
            if image.mode.startswith(("I", "F")):  # as 8 bits all that is bright would be 255
                counts = np.unique(np.asarray(image), return_counts=True)[1]
            else:
                counts = np.array(image.convert("L").histogram())
    except (WsssError, OSError, ValueError):
        return False
    return bool(np.sort(counts)[-VALUES:].sum() >= SHARE * counts.sum())


def _of_one_size(mask: Path, image: Path) -> bool:
    try:
        return image_size(mask) == image_size(image)
    except WsssError:
        return False
