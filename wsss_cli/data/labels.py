"""Label maps and 0/1 masks on disk, as PNGs that a picture viewer shows.

Label map: ids 0 background, 1..C classes and one for ignore, in a palette PNG, or in 16-bit grey where C is large
(`label_format`). Confidence mask: mode L, 0 or 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.data.images import opened, read_bytes
from wsss_cli.data.label_format import WORD, Labels
from wsss_cli.data.lossy import require_lossless
from wsss_cli.data.picture import kind_of, stored
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.sound import png_fault

Colour = tuple[int, int, int]
RUNS = 3  # zlib's strategy Z_RLE: label maps come out as small as by default, in a third of the time


@cache
def voc_palette(n: int = 256) -> tuple[Colour, ...]:
    """The PASCAL VOC colours of ids 0..n-1.

    Bit 3j+k of the id is bit 7-j of channel k (red, green, blue).  [VOC devkit, VOClabelcolormap]
    """

    def channel(i: int, k: int) -> int:
        return sum((i >> (3 * j + k) & 1) << (7 - j) for j in range(8))

    return tuple((channel(i, 0), channel(i, 1), channel(i, 2)) for i in range(n))


def label_path(folder: Path, sample: Sample) -> Path:
    """Where a stage's folder has the label map of an image."""
    return map_path(folder / "labels", sample)


def map_path(folder: Path, sample: Sample) -> Path:
    """Where a folder of label maps or masks has that of an image."""
    return folder / f"{sample.id}.png"


def read_labels(path: Path) -> Labels:
    """The ids (H, W) of a palette or grey PNG, int32 if it has 16 bits, else uint8.

    Raises WsssError for colour-coded or 32-bit masks, for formats that smear ids (JPEG), and for several pages.
    """
    return decode_labels(read_bytes(path), path)


def decode_labels(data: bytes, path: Path) -> Labels:
    """The ids (H, W) of the encoded mask `data`, as `read_labels`.  Raises WsssError naming `path`."""
    _require_sound(data, path)
    with opened(data, path) as image:
        require_lossless(image, data, path)
        require_one_page(image, path)
        if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):  # I in older Pillow
            return np.array(image).astype(np.int32)  # (H, W)
        if image.mode in ("I", "F"):
            raise WsssError(f"{path} has 32 bits per pixel", "save the ids as a PNG of 8 or 16 bits")
        if image.mode not in ("P", "L", "1"):
            raise WsssError(
                f"{path} is a colour-coded mask (mode {image.mode}), not a map of class ids",
                "replace each colour by its class id and save one channel as PNG",
            )
        return stored(image).astype(np.uint8)  # (H, W); mode 1 holds bools


def require_one_page(image: Image.Image, path: Path) -> None:
    """Raises WsssError for a mask of several pages."""
    if kind_of(image).pages > 1:
        raise WsssError(f"{path} holds several pages, not one mask", "save the one that is meant as a PNG")


def write_labels(path: Path, labels: Labels, palette: Sequence[Colour] = ()) -> None:
    """Write ids (H, W): uint8 as a palette PNG, int32 in 0..65535 as a 16-bit grey one.

    palette  colours of ids 0, 1, ...; the VOC colours for the ids it does not reach, 255 ignore among them.
    Raises ValueError if labels is neither, WsssError if the file cannot be written.
    """
    if labels.ndim != 2 or labels.dtype not in (np.uint8, np.int32):
        raise ValueError(f"labels must be (H, W) uint8 or int32, not {labels.shape} {labels.dtype}")
    if labels.dtype == np.int32:
        if labels.size and not 0 <= labels.min() <= labels.max() <= WORD.ignore:
            raise ValueError(f"labels are {labels.min()}..{labels.max()}, not in 0..{WORD.ignore}")
        _save(path, Image.fromarray(labels.astype(np.uint16)))
        return
    colours = (*palette[:256], *voc_palette(256)[len(palette) :])
    image = Image.fromarray(labels)
    image.putpalette([value for colour in colours for value in colour])  # L becomes P, the ids stay
    _save(path, image)


def write_mask01(path: Path, mask: NDArray[np.bool_]) -> None:
    """Write a mask (H, W) of bools as a grey PNG of 0 and 255.  Raises ValueError, WsssError as write_labels."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"mask must be (H, W) bool, not {mask.shape} {mask.dtype}")
    _save(path, Image.fromarray(mask.astype(np.uint8) * np.uint8(255)))


def read_mask01(path: Path) -> NDArray[np.bool_]:
    """A 0/1 mask (H, W) of bools from a PNG that holds 0/1 or 0/255, in one channel or in equal RGB channels.

    Raises WsssError if it holds other values, or is of a format that smears them.
    """
    data = read_bytes(path)
    _require_sound(data, path)
    with opened(data, path) as image:
        require_lossless(image, data, path)
        values = np.array(image if image.mode in ("L", "P", "1") else image.convert("RGB"))
    if values.ndim == 3:  # (H, W, 3)
        if (values != values[..., :1]).any():
            raise WsssError(f"{path} is a colour picture, not a 0/1 mask", "give masks of 0 and 255")
        values = values[..., 0]  # (H, W)
    found = set(np.unique(values).tolist())
    if not (found <= {0, 1} or found <= {0, 255}):
        raise WsssError(f"{path} holds {_some(found)}, neither 0/1 nor 0/255", "give masks of 0 and 255")
    return values != 0


def _require_sound(data: bytes, path: Path) -> None:
    if wrong := png_fault(data):
        raise WsssError(f"{path} is damaged: {wrong}", "copy it again; if it is a run's, delete it: it is made again")


def _some(values: set[int]) -> str:
    first = sorted(values)[:8]
    return ", ".join(map(str, first)) + (", ..." if len(values) > len(first) else "")


def _save(path: Path, image: Image.Image) -> None:
    with writing(path, flushed=False) as aside:
        image.save(aside, format="PNG", compress_type=RUNS)
