"""Pictures to arrays: whatever Pillow opens becomes uint8 RGB as shown on screen, or a message that names the file."""

from __future__ import annotations

import hashlib
import importlib
import io
import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from wsss_cli.bounds import too_large
from wsss_cli.data.magic import HEAD, PLUGINS, what_is
from wsss_cli.data.picture import (
    PLAIN,
    Kind,
    Reading,
    has_halves,
    has_other_band,
    kind_of,
    require_certain,
    scaled,
    show_low_bytes,
    tiff_kind,
    values,
)
from wsss_cli.errors import WsssError
from wsss_cli.sound import jpeg_fault, open_file, png_fault, require_file

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

Image.MAX_IMAGE_PIXELS = None  # `require_allowed` asks before anything is decoded; Pillow would warn at half of it
PngImagePlugin.MAX_TEXT_CHUNK = 64 << 20  # editors and generators write more than Pillow's 1 MiB of text or profile
PngImagePlugin.MAX_TEXT_MEMORY = 256 << 20
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs is told by our own messages

PROGRAMS = {"EPS": "PostScript"}
"""Formats, by what is in the file, that Pillow hands to a program of the system."""
AS_PNG = "save it as PNG"
DARK = 32  # no pixel is brighter: nearly black


@dataclass(frozen=True)
class Verified:
    """size (width, height) as shown; sketch, bytes that are equal for equal pictures and rarely for others; odd, words
    for what is unusual: see `oddities`."""

    size: tuple[int, int]
    sketch: bytes
    odd: tuple[str, ...] = ()


def read_image(path: Path, how: Reading = PLAIN) -> NDArray[np.uint8]:
    """The picture as RGB (H, W, 3) uint8, turned as its EXIF orientation says.

    Grey, palette and CMYK are converted; transparency is laid on white, a fourth band that is none is left out; of 12
    and 16 bits the high 8 are kept, unless `how` names another white.
    Raises WsssError if the file is missing, empty, truncated, no image, of several pages, or has no fixed range.
    How large it may be is asked where it comes into a data set, not here.
    """
    return _shown(read_bytes(path), path, how)


def read_unchecked(path: Path, how: Reading = PLAIN) -> NDArray[np.uint8]:
    """`read_image` of a file that no data set has checked: also refuses too many pixels, and a missing end."""
    data = read_bytes(path)
    _require_whole(data, path)
    with opened(data, path) as image:
        require_allowed(image, path, how)
    return _shown(data, path, how)


def _shown(data: bytes, path: Path, how: Reading) -> NDArray[np.uint8]:
    with opened(data, path) as image:
        return pixels(image, path, how, data)


def pixels(image: Image.Image, name: Path, how: Reading = PLAIN, data: bytes = b"") -> NDArray[np.uint8]:
    """An opened picture as `read_image` gives that of a file.

    data  its file's content, without which 16-bit colours have no other white than the usual one
    Raises WsssError as `read_image`; what Pillow raises on damage, as it is.
    """
    kind = kind_of(image)
    how = how.of(kind)
    require_certain(kind, image, how, name)
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    rgb = _to_rgb(image, kind, how, data)
    return np.array(rgb if turn is None else rgb.transpose(turn))  # (H, W, 3), writable


def read_values(path: Path, how: Reading = PLAIN) -> NDArray[np.float64 | np.int64]:
    """(H, W) or (H, W, 3) numbers of a picture of more than 8 bits, not turned.  Raises WsssError as `read_image`."""
    data = read_bytes(path)
    with opened(data, path) as image:
        return _values(image, kind_of(image), data)


def kind_of_file(path: Path, how: Reading = PLAIN) -> Kind:
    """What the file's header tells.  Raises WsssError, also for what cannot be shown whatever is said of it."""
    _require_content(path)
    with opened(path, path) as image:
        require_allowed(image, path, how)
        kind = kind_of(image)
        require_certain(kind, image, how, path)
        return kind


def image_size(path: Path, verify: bool = False, how: Reading = PLAIN) -> tuple[int, int]:
    """(width, height) as shown, from the header alone; `verify` also decodes the whole file.

    Raises WsssError, also for more pixels than `how` allows.
    """
    if verify:
        return verified(read_bytes(path), path, how).size
    _require_content(path)
    with opened(path, path) as image:
        require_allowed(image, path, how)
        return _shown_size(image)


def verified(data: bytes, path: Path, how: Reading = PLAIN) -> Verified:
    """The encoded picture `data`, read to its end.  Raises WsssError naming `path`, as `image_size`."""
    _require_whole(data, path)
    with opened(data, path) as image:
        require_allowed(image, path, how)
        size, kind = _shown_size(image), kind_of(image)
        require_certain(kind, image, PLAIN, path)
        image.draft("L", (1, 1))  # JPEG: every coefficient is decoded, but an eighth of the pixels computed
        image.load()
        sketch = hashlib.blake2b(image.tobytes(), digest_size=8, person=repr(size)[:16].encode()).digest()
        return Verified(size, sketch, tuple(_oddities(image, kind, data)))


def _require_whole(data: bytes, path: Path) -> None:
    if wrong := png_fault(data) or jpeg_fault(data):
        raise WsssError(f"{path} is damaged: {wrong}", "copy or download it again")


def _oddities(image: Image.Image, kind: Kind, data: bytes) -> Iterator[str]:
    """ "previews", "other-band"; "one-colour" or "dark" as it is shown."""
    if kind.previews:
        yield "previews"
    if has_other_band(image, kind, PLAIN):
        yield "other-band"
    plain = image.mode in ("L", "RGB") and not kind.deep
    low, high = (image if plain else _to_rgb(image, kind, PLAIN, data)).convert("L").getextrema()
    if low == high:
        yield "one-colour"
    elif high < DARK:  # type: ignore[operator]  # of one band these are numbers
        yield "dark"


def read_bytes(path: Path) -> bytes:
    """The file's content.  Raises WsssError if it is missing, unreadable or empty."""
    _require_content(path)
    try:
        with open_file(path) as file:
            return file.read()
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error


@contextmanager
def opened(source: bytes | Path, path: Path) -> Iterator[Image.Image]:
    """A picture whose header is read, from its bytes or file; what is raised on it is told of `path`.

    Raises WsssError: no picture, damaged, PostScript, more pixels than any picture has.
    """
    with decoding(path, source), _open(source, path) as image:
        if image.format in PROGRAMS:
            raise WsssError(f"{path} is {PROGRAMS[image.format]}, which another program would have to run", AS_PNG)
        if why := too_large(image.width, image.height):
            raise WsssError(f"{path} says that it is {image.width} x {image.height} pixels: {why}", "cut it into tiles")
        yield image


def require_pixels(width: int, height: int) -> None:
    """Raises ValueError for a size, declared beside run lengths, that no picture has or that there is no memory for."""
    why = too_large(width, height) if width > 0 and height > 0 else "they are none"
    if why:
        raise ValueError(f"{width} x {height} pixels are not the size of a picture: {why}")


def require_allowed(image: Image.Image, path: Path, how: Reading) -> None:
    """Raises WsssError for a picture of more pixels than `how` allows."""
    if image.width * image.height > how.megapixels * 1e6:
        raise WsssError(
            f"{path} has too many pixels: {image.width} x {image.height}, more than {how.megapixels:g} million",
            "cut it into smaller images; or, if it is no mistake, allow more: --max-megapixels N",
        )


@contextmanager
def decoding(path: Path, source: bytes | Path | None = None) -> Iterator[None]:
    """Turn what Pillow raises on a damaged file into a WsssError naming it."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise WsssError(f"{path} has too many pixels: {error}", "cut it into smaller images") from error
    except DAMAGED as error:
        raise _why(path, error, source) from error


def _why(path: Path, error: Exception, source: bytes | Path | None) -> WsssError:
    """The true reason why a file cannot be shown, as far as its first bytes and its header tell."""
    if "MAX_TEXT" in str(error):
        most = PngImagePlugin.MAX_TEXT_CHUNK >> 20
        return WsssError(f"{path} holds more than {most} MiB of text or colour profile", "save it without metadata")
    try:
        data = path.read_bytes() if not isinstance(source, bytes) else source
    except OSError:
        data = b""
    kind = tiff_kind(data) if not isinstance(error, OSError) or isinstance(error, UnidentifiedImageError) else None
    if kind is not None:
        which, bands = ("three bands", "-b 1 -b 2 -b 3") if kind.bands >= 3 else ("band", "-b 1")
        remedy = f"save the {which} to look at with 8 bits: gdal_translate {bands} -ot Byte -scale IN OUT.png"
        return WsssError(f"{path} is a TIFF of {kind.text}, which Pillow cannot show", remedy)
    if not isinstance(error, UnidentifiedImageError):
        return WsssError(f"{path} is damaged: {error}", "copy or download it again")
    what = what_is(data[:HEAD])
    if what in PLUGINS:
        package = PLUGINS[what][1]
        return WsssError(f"{path} is {what}, which Pillow cannot read", f"pip install {package}; or save it as PNG")
    if what:
        return WsssError(f"{path} is not an image but {what}", "replace it by a JPEG or PNG file")
    return WsssError(f"{path} is not an image", "replace it by a JPEG or PNG file, or copy it again")


def _open(source: bytes | Path, path: Path) -> Image.Image:
    """As Image.open, with the plugin for HEIC or JPEG XL if the file is one and the plugin is installed."""
    try:
        return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    except UnidentifiedImageError:
        what = what_is(source[:HEAD] if isinstance(source, bytes) else _head(source))
        if what not in PLUGINS or not _plugged_in(PLUGINS[what][0]):
            raise
        return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)


def _head(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(HEAD)


def _plugged_in(module: str) -> bool:
    """Whether a plugin of Pillow's is installed; it then is registered."""
    try:
        plugin = importlib.import_module(module)
    except ImportError:
        return False
    if hasattr(plugin, "register_heif_opener"):
        plugin.register_heif_opener()
    return True


def _require_content(path: Path) -> None:
    try:
        require_file(path)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise WsssError(f"{path} is missing", "put it there, or take it off the list that names it") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error
    if size == 0:
        raise WsssError(f"{path} is empty (0 bytes)", "copy or download it again")


def _to_rgb(image: Image.Image, kind: Kind, how: Reading, data: bytes) -> Image.Image:
    if has_other_band(image, kind, how):
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.has_transparency_data and not image.mode.startswith("I"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    if not kind.deep or (image.mode.startswith("RGB") and how.white in (None, kind.white) and not how.black):
        return image.convert("RGB")  # of 16-bit colours these are the high bytes
    return Image.fromarray(scaled(_values(image, kind, data), kind, how)).convert("RGB")


def _values(image: Image.Image, kind: Kind, data: bytes) -> NDArray[np.float64 | np.int64]:
    """(H, W) or (H, W, 3) numbers of a deep picture: of 16-bit colours both bytes, each from a decoding of its own."""
    shown = values(image, kind)
    if not image.mode.startswith("RGB"):
        return shown
    with Image.open(io.BytesIO(data)) as again:
        if not has_halves(again):
            return shown
        show_low_bytes(again)
        return shown.astype(np.int64) << 8 | values(again, kind)


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
