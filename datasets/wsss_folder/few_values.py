"""Whether pictures are masks of others, by what they hold: a few values, each in areas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np

from wsss_cli.data.images import image_size, opened
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import Found

LOOKED_AT = 8  # pictures of a group
VALUES, SHARE = 32, 0.98  # so few values have so many of a mask's pixels, even if it was saved as JPEG
EVEN = 0.8  # so many of them are as the one to the right; of photographs, be they of fog or of the night, fewer
MOST = 0.75  # of the pictures that are looked at, some of which may be spoilt

T = TypeVar("T")
Pair = tuple[Found, Found]  # a mask and its image


def some_of(group: Sequence[T], most: int = LOOKED_AT) -> Sequence[T]:
    """Those of a group that are looked at: drawn, since names often alternate."""
    return group if len(group) <= most else Random(0).sample(group, most)


def are_masks(pairs: Sequence[Pair]) -> bool:
    """Whether the first of each pair looks like a mask of the second, which does not."""
    some = some_of(pairs)
    masks = [is_like_mask(mask.path) and _of_one_size(mask.path, image.path) for mask, image in some]
    if not some or sum(masks) < MOST * len(some):
        return False
    return sum(not is_like_mask(image.path) for _, image in some) >= MOST * len(some)


def hold_labels(group: Sequence[Found]) -> bool:
    """Whether pictures that are called masks may be some: most have few values, or ids of many objects in areas."""
    some = some_of(group)
    found = [_values_and_evenness(image.path) for image in some]
    return sum(values <= VALUES or even >= EVEN for values, even in found) >= MOST * len(some)


def is_like_mask(path: Path) -> bool:
    """Whether nearly all pixels have one of a few grey values, in areas; False for what cannot be opened."""
    values, even = _values_and_evenness(path)
    return values <= VALUES and (even >= EVEN or values <= 2)


def _values_and_evenness(path: Path) -> tuple[int, float]:
    """How many grey values SHARE of the pixels have, and which share is as the pixel to the right."""
    try:
        with opened(path, path) as image:
            deep = image.mode.startswith(("I", "F"))  # as 8 bits all that is bright would be 255
            shown = image if deep else image.convert("L")
            grey = np.asarray(shown)  # (H, W)
            counts = np.unique(grey, return_counts=True)[1] if deep else np.array(shown.histogram())
    except (WsssError, OSError, ValueError):
        return VALUES + 1, 0.0
    values = int(np.searchsorted(np.cumsum(np.sort(counts)[::-1]), SHARE * grey.size)) + 1
    return values, float((grey[:, 1:] == grey[:, :-1]).mean()) if grey.shape[1] > 1 else 1.0


def _of_one_size(mask: Path, image: Path) -> bool:
    try:
        return image_size(mask) == image_size(image)
    except WsssError:
        return False
