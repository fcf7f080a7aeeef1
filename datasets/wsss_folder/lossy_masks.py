"""Masks whose format smears values, as JPEG's: read where what they can hold is known, and lies far apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from wsss_cli.data.lossy import lossy_form, smeared
from wsss_cli.errors import WsssError
from wsss_folder.mask_values import COLOUR

APART = 64  # of 255, in one channel at least, that values lie from each other
NEAR = 32  # and pixels from the nearest, or less, but on borders
BORDER = 5  # pixels: a square of which is no border


def nearest_values(image: Image.Image, data: bytes, path: Path, listed: Collection[int]) -> NDArray[np.int64]:
    """(H, W) of the values `listed` (ids of a mask, or COLOUR + 0xRRGGBB) that which lies nearest to each pixel.

    Raises WsssError where they lie too near to each other, or one between two others, or the mask holds another.
    """
    colours = {value: _rgb(value) for value in listed}
    form = lossy_form(image, data)
    if not _are_apart([*colours.values()]):
        error = smeared(form, path)
        what = f"of two values or more the nearest is taken, if they are listed, lie {APART} apart and none between two"
        raise WsssError(error.what, f"{error.remedy}; {what} others: --mask-values 0=background,255=NAME")
    pixels = np.asarray(image.convert("RGB")).astype(np.int16)  # (H, W, 3)
    apart = np.stack([abs(pixels - colour).max(-1) for colour in colours.values()])  # (V, H, W)
    far = Image.fromarray((apart.min(0) > NEAR).astype(np.uint8)).filter(ImageFilter.MinFilter(BORDER))
    inside = np.argwhere(np.asarray(far))
    if len(inside):
        shown = "#{:02x}{:02x}{:02x}".format(*pixels[tuple(inside[0])])
        raise WsssError(
            f"{path} is {form}, and holds an area of {shown} or so, to which none of the listed values is near",
            "list every value: --mask-values 0=background,255=tumour, or #ff0000=tumour",
        )
    values: NDArray[np.int64] = np.array([*colours], np.int64)[apart.argmin(0)]  # (H, W)
    return values


def _are_apart(colours: Sequence[NDArray[np.int16]]) -> bool:
    """Whether colours, (3,) each, lie apart, and none so near to the line between two others that a border has it."""
    near = [abs(a - b).max() for a, b in combinations(colours, 2)]
    between = (
        abs(a + (b - a) * ((c - a) @ (b - a) / ((b - a) @ (b - a))).clip(0, 1) - c).max()
        for a, b, c in permutations([colour.astype(float) for colour in colours], 3)
        if (a != b).any()
    )
    return bool(near) and min(near) >= APART and all(distance > NEAR for distance in between)


def _rgb(value: int) -> NDArray[np.int16]:
    """(3,) of a colour, or of a grey value."""
    grey = value - COLOUR if value >= COLOUR else min(value, 255) * 0x010101
    return np.array([grey >> 16, grey >> 8 & 255, grey & 255], np.int16)
