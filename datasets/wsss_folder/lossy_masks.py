"""Masks whose format smears values, as JPEG's: read where what they can hold is known, and lies far apart."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.data.lossy import lossy_form, smeared
from wsss_cli.errors import WsssError
from wsss_folder.mask_values import COLOUR

APART = 64  # of 255, in one channel at least, that values lie from each other
NEAR, SHARE = 32, 0.9  # of the pixels so many lie so near to one of them


def nearest_values(image: Image.Image, data: bytes, path: Path, listed: Collection[int]) -> NDArray[np.int64]:
    """(H, W) of the values `listed` (ids of a mask, or COLOUR + 0xRRGGBB) that which lies nearest to each pixel.

    Raises WsssError where they lie too near to each other, or the mask holds others.
    """
    colours = {value: _rgb(value) for value in listed}
    form, near = lossy_form(image, data), [abs(a - b).max() for a, b in combinations(colours.values(), 2)]
    if not near or min(near) < APART:
        error = smeared(form, path)
        what = f"of values or colours that lie {APART} apart the nearest is taken, if they are listed"
        raise WsssError(error.what, f"{error.remedy}; {what}: --mask-values 0=background,255=NAME")
    pixels = np.asarray(image.convert("RGB")).astype(np.int16)  # (H, W, 3)
    apart = np.stack([abs(pixels - colour).max(-1) for colour in colours.values()])  # (V, H, W)
    share = float((apart.min(0) <= NEAR).mean())
    if share < SHARE:
        raise WsssError(
            f"{path} is {form}, and {1 - share:.0%} of its pixels are near to none of the values that are listed",
            "list all values: --mask-values 0=background,128=disc,255=cup",
        )
    values: NDArray[np.int64] = np.array([*colours], np.int64)[apart.argmin(0)]  # (H, W)
    return values


def _rgb(value: int) -> NDArray[np.int16]:
    """(3,) of a colour, or of a grey value."""
    grey = value - COLOUR if value >= COLOUR else min(value, 255) * 0x010101
    return np.array([grey >> 16, grey >> 8 & 255, grey & 255], np.int16)
