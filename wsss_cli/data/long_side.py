"""Large photos made smaller, once, and what is made of them brought back to their own size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.data.prepared import Box, Sample


def smaller_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """(h, w) whose longer side is `long_side`, the other one at least 1; what is no larger stays as it is."""
    longest = max(height, width)
    if longest <= long_side:
        return height, width
    return max(1, round(height * long_side / longest)), max(1, round(width * long_side / longest))


def smaller(image: NDArray[np.uint8], long_side: int | None) -> NDArray[np.uint8]:
    """An image (H, W, 3) at `smaller_size`; None: as it is.

    By PIL's bicubic, whose support widens as it shrinks, in whole numbers: the same on every machine.  JPEGs are
    decoded whole, since it happens once: how a decoder makes them smaller itself is the library's own affair.
    """
    height, width = image.shape[:2]
    size = (height, width) if long_side is None else smaller_size(height, width, long_side)
    if size == (height, width):
        return image
    return np.array(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def smaller_boxes(sample: Sample, height: int, width: int) -> tuple[Box, ...]:
    """The sample's boxes in its image made (height, width): what they hold at least, so no object sticks out."""
    x, y = width / sample.width, height / sample.height
    return tuple(
        replace(
            box,
            x0=math.floor(box.x0 * x),
            y0=math.floor(box.y0 * y),
            x1=min(width, math.ceil(box.x1 * x)),
            y1=min(height, math.ceil(box.y1 * y)),
        )
        for box in sample.boxes
    )


def at_image_size(labels: NDArray[Any], sample: Sample) -> NDArray[Any]:
    """A label map or mask of the sample's whole photo, at the size of the image that stages see; others as they are."""
    whole = sample.original
    if whole is None or labels.shape != (whole.height, whole.width):
        return labels
    return nearest(labels, (sample.height, sample.width))


def at_full_size(labels: NDArray[Any], sample: Sample) -> NDArray[Any]:
    """A label map or mask of the image that stages see, at the size of the whole photo; others as they are."""
    whole = sample.original
    if whole is None or labels.shape != (sample.height, sample.width):
        return labels
    return nearest(labels, (whole.height, whole.width))


def nearest(labels: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    """(H, W) of any type -> size (h, w): of each pixel the value at its centre."""
    rows, columns = ((np.arange(n) * 2 + 1) * have // (2 * n) for n, have in zip(size, labels.shape))
    return labels[rows][:, columns]
