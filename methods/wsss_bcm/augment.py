"""DeepLab's random scale, crop and mirror, as deeplab-pytorch draws and rounds them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_bcm.config import Crop
from wsss_cli.batches.transforms import CAFFE_MEAN, flip, resize
from wsss_cli.data.label_format import Labels, format_of


def augment(
    image: NDArray[np.uint8], maps: Sequence[Labels], crop: Crop, rng: random.Random
) -> tuple[Tensor, list[Tensor]]:
    """One crop: the image (S, S, 3) float32 RGB of 0..255, its maps (S, S) ids.

    Drawn in this order: scale, top, left, mirror.  What is smaller than the crop is padded at the right and the bottom,
    the image with the Caffe models' mean colour, maps with ignore.

    image (H, W, 3); maps (H, W) each.
    """
    size = _scaled(image.shape[:2], crop, rng)
    labels = [resize(one, size, "nearest") for one in maps]
    top, left = (rng.randint(0, max(n - crop.size, 0)) for n in size)
    mirrored = crop.flip and rng.random() < 0.5
    window = slice(top, min(top + crop.size, size[0])), slice(left, min(left + crop.size, size[1]))
    canvas = np.broadcast_to(np.array(CAFFE_MEAN, np.float32), (crop.size, crop.size, 3)).copy()
    pieces = [_paste(bilinear(image, size, window), canvas)]
    pieces += [_paste(one[window], np.full((crop.size, crop.size), format_of(one).ignore, one.dtype)) for one in labels]
    first, *others = (torch.from_numpy(flip(piece) if mirrored else piece) for piece in pieces)
    return first, others


def bilinear(image: NDArray[Any], size: tuple[int, int], window: tuple[slice, slice]) -> NDArray[np.float32]:
    """A window of OpenCV's INTER_LINEAR on floats, which does not widen its support when it shrinks.

    Rows are made first narrower, then fewer; places and sums in float64, weights and what is between in float32, as
    OpenCV rounds them.

    image (H, W, 3); size (h, w) of the whole result; window: its rows and columns.  Returns (rows, columns, 3).
    """
    near, far, weight = _neighbours(image.shape[1], size[1], window[1])
    top, bottom, share = _neighbours(image.shape[0], size[0], window[0])
    x = image[top[0] : bottom[-1] + 1].astype(np.float64)  # the rows that are needed
    x = _between(x[:, near], x[:, far], weight[:, None]).astype(np.float64)  # (rows, columns, 3)
    return _between(x[top - top[0]], x[bottom - top[0]], share[:, None, None])


def _between(first: NDArray[np.float64], second: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[Any]:
    second -= first
    second *= weight
    second += first
    return second.astype(np.float32)


def _neighbours(
    source: int, target: int, window: slice
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """For each target pixel of the window the two source pixels around its centre and the weight of the second."""
    at = ((np.arange(target)[window] + 0.5) * (source / target) - 0.5).clip(0, source - 1)
    near = at.astype(np.int64)
    return near, np.minimum(near + 1, source - 1), (at - near).astype(np.float32).astype(np.float64)


def _scaled(size: tuple[int, ...], crop: Crop, rng: random.Random) -> tuple[int, int]:
    """Height and width after the longer side is set, if it is, and the drawn scale."""
    h, w = size
    if crop.longer_side is not None:
        base = crop.longer_side
        h, w = (base, int(base * w / h)) if h > w else (int(base * h / w), base)
    scale = rng.choice(crop.scales)
    return max(1, int(h * scale)), max(1, int(w * scale))


def _paste(piece: NDArray[Any], canvas: NDArray[Any]) -> NDArray[Any]:
    """The piece in the upper left corner of the canvas."""
    canvas[: piece.shape[0], : piece.shape[1]] = piece
    return canvas
