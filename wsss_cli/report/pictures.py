"""Small pictures: thumbnails, class maps and label maps laid over them, as data URIs of bounded size."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.data.label_format import Labels, format_of

SIDE = 320  # pixels of a thumbnail's longer side
MOST_BYTES = 30_000  # of one picture; a report of 100 pictures stays below 4 MB with base64
QUALITIES = (85, 75, 65, 50, 35, 20, 10)

Picture = NDArray[np.uint8]


def thumbnail(image: Picture, side: int = SIDE) -> Picture:
    """image (H, W, 3) with its longer side brought down to `side`."""
    height, width = image.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def overlay(small: Picture, labels: Labels, colours: Sequence[Sequence[int]], opacity: float = 0.6) -> Picture:
    """Palette colours over a thumbnail, white lines where objects meet anything else, the background left as it is.

    small (h, w, 3); labels (H, W) ids of the whole image. Returns (h, w, 3).
    """
    ids = np.array(Image.fromarray(labels).resize(_size(small), Image.Resampling.NEAREST))  # (h, w)
    table = np.full((format_of(labels).ignore + 1, 3), 224, np.float32)  # what the palette does not reach: light grey
    table[: len(colours)] = colours
    alpha = np.where(ids > 0, np.float32(opacity), np.float32(0))[..., None]  # (h, w, 1)
    mixed = small * (1 - alpha) + table[ids] * alpha
    mixed[borders(ids)] = 255
    return _picture(mixed)


def borders(ids: Labels) -> NDArray[np.bool_]:
    """Pixels with a right or lower neighbour of another id, ignored pixels not counted; (h, w)."""
    out, ignore = np.zeros(ids.shape, bool), format_of(ids).ignore
    for axis in (0, 1):
        here = np.take(ids, range(ids.shape[axis] - 1), axis)
        there = np.take(ids, range(1, ids.shape[axis]), axis)
        differs = (here != there) & (here != ignore) & (there != ignore)
        out |= np.pad(differs, [(0, 1) if a == axis else (0, 0) for a in (0, 1)])
    return out


def heat(small: Picture, cam: NDArray[np.float32], colours: Sequence[Sequence[int]]) -> Picture:
    """The strongest class map of each pixel over a pale thumbnail: the class's colour, as opaque as the map is high.

    small (h, w, 3); cam (n, H, W) in [0, 1]; colours of the n classes. Returns (h, w, 3).
    """
    maps = np.stack([_shrunk(one, small) for one in cam])  # (n, h, w)
    best = maps.argmax(0)  # (h, w)
    alpha = 0.9 * maps.max(0).clip(0, 1)[..., None]  # (h, w, 1)
    grey = small.mean(2, keepdims=True)  # (h, w, 1)
    pale = 96 + grey * (159 / 255)
    return _picture(pale * (1 - alpha) + np.asarray(colours, np.float32)[best] * alpha)


def data_uri(picture: Picture, most: int = MOST_BYTES) -> str:
    """A JPEG of at most `most` bytes, or of the lowest quality where none is small enough."""
    data = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=0 if quality > 80 else 2)
        data = buffer.getvalue()
        if len(data) <= most:
            break
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"


def _shrunk(cam: NDArray[np.float32], small: Picture) -> NDArray[np.float32]:
    return np.array(Image.fromarray(cam).resize(_size(small), Image.Resampling.BILINEAR))


def _size(small: Picture) -> tuple[int, int]:
    return small.shape[1], small.shape[0]


def _picture(values: NDArray[np.floating]) -> Picture:
    return values.round().clip(0, 255).astype(np.uint8)
