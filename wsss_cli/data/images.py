"""Pictures to arrays: whatever Pillow opens becomes uint8 RGB as shown on screen, or a message that names the file."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from wsss_cli.errors import WsssError

# What Pillow's decoders raise on damaged files.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)

ORIENTATION = 0x0112  # EXIF tag
# EXIF orientation -> how to turn the stored picture so that it stands upright; 5 to 8 swap width and height.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture as RGB (H, W, 3) uint8, turned as its EXIF orientation says.

    Grey, palette and CMYK are converted; transparency is laid on white; of 16 bits the high 8 are kept.
    Raises WsssError if the file is missing, empty, truncated, no image, or has no fixed range (32-bit, float).
    """
    data = read_bytes(path)
    with decoding(path), Image.open(io.BytesIO(data)) as image:
        _require_range(image, path)
        image.load()
        turn = UPRIGHT.get(_orientation(image))
        rgb = _to_rgb(image)
        return np.array(rgb if turn is None else rgb.transpose(turn))  # (H, W, 3), writable


def image_size(path: Path, verify: bool = False) -> tuple[int, int]:
    """(width, height) as shown, from the header alone; `verify` also decodes the whole file.  Raises WsssError."""
    if verify:
        return verified_size(read_bytes(path), path)
    _require_content(path)
    with decoding(path), Image.open(path) as image:
        return _shown_size(image)


def verified_size(data: bytes, path: Path) -> tuple[int, int]:
    """(width, height) as shown of the encoded picture `data`, read to its end.  Raises WsssError naming `path`."""
    return verified(data, path)[0]


def verified(data: bytes, path: Path) -> tuple[tuple[int, int], bytes]:
    """As `verified_size`, and a sketch: bytes that are equal for equal pictures, and rarely for others."""
    with decoding(path), Image.open(io.BytesIO(data)) as image:
        size = _shown_size(image)
        _require_range(image, path)
        image.draft("L", (1, 1))  # JPEG: every coefficient is decoded, but an eighth of the pixels computed
        image.load()
        return size, hashlib.blake2b(image.tobytes(), digest_size=8, person=repr(size)[:16].encode()).digest()


def read_bytes(path: Path) -> bytes:
    """The file's content.  Raises WsssError if it is missing, unreadable or empty."""
    _require_content(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn what Pillow raises on a damaged file into a WsssError naming it."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise WsssError(f"{path} has too many pixels: {error}", "cut it into smaller images") from error
    except UnidentifiedImageError as error:
        raise WsssError(f"{path} is not an image", "replace it by a JPEG or PNG file, or copy it again") from error
    except DAMAGED as error:
        raise WsssError(f"{path} is damaged: {error}", "copy or download it again") from error


def _require_content(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise WsssError(f"{path} is missing", "put it there, or take it off the list that names it") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error
    if size == 0:
        raise WsssError(f"{path} is empty (0 bytes)", "copy or download it again")


def _require_range(image: Image.Image, path: Path) -> None:
    """Pillow opens 16-bit grey PNG and PPM as mode I in some versions, I;16 in others; a real 32-bit I is a TIFF."""
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        raise WsssError(f"{path} has 32-bit pixels, whose range is not fixed", "convert it to 8 or 16 bits")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        high = np.asarray(image).astype(np.uint16) >> 8  # as Pillow itself does for 16-bit RGB
        return Image.fromarray(high.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except DAMAGED:  # broken EXIF does not make the pixels unreadable
        return 1


def _shown_size(image: Image.Image) -> tuple[int, int]:
    width, height = _stored_size(image)
    return (height, width) if _orientation(image) >= 5 else (width, height)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) before it is turned; of a TIFF, Pillow 11 and later give `size` as shown already."""
    if isinstance(image, TiffImageFile):
        return int(image.tag_v2[IMAGEWIDTH]), int(image.tag_v2[IMAGELENGTH])
    return image.size
