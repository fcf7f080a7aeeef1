"""What a picture file holds, from its header: pages, bands, depth; and what must be said before it can be shown."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_cli import bounds
from wsss_cli.errors import WsssError

BITS, PHOTOMETRIC, SAMPLES, EXTRA, FORMAT = 258, 262, 277, 338, 339  # tags of TIFF
SUBFILE, REDUCED_OR_MASK = 254, 0b101
LARGEST = (341, 281)  # SMaxSampleValue, MaxSampleValue
ALPHA = (1, 2)  # of TIFF's extra samples; 0 is anything else
MOSTLY = 0.5  # of the pixels half transparent: a band that is called alpha and is none
DEEPEST = 65535  # the largest value of 16 bits


@dataclass(frozen=True)
class Reading:
    """What a picture's file leaves open.

    white, black  the values shown as 255 and 0, of more than 8 bits; white None: the largest that the file can hold
    sparse        without `white`, that of 16 bits of which nothing says how many are used (`Kind.may_hold_less`)
    first_page    of several, the first is meant
    alpha         whether a TIFF's fourth band is transparency; auto: if it is called so and mostly 0 or full
    megapixels    millions of pixels that a picture may have
    """

    white: float | None = None
    black: float = 0.0
    first_page: bool = False
    alpha: Literal["auto", "yes", "no"] = "auto"
    megapixels: float = bounds.MEGAPIXELS
    sparse: float | None = None

    def of(self, kind: Kind) -> Reading:
        """What it is for a picture of that kind."""
        return replace(self, white=self.sparse) if self.white is None and kind.may_hold_less else self


PLAIN = Reading()


@dataclass(frozen=True)
class Kind:
    """bits of a sample, signed or real; bands in the file; pages of full size; previews, of a photograph, besides it.

    deep      of more than 8 bits, or none of unsigned integers: values must be scaled to be shown
    inverted  0 is white
    white     the value that the file says is the largest; None of 32 bits and real ones, if it does not say
    """

    bits: int = 8
    signed: bool = False
    real: bool = False
    bands: int = 1
    pages: int = 1
    previews: int = 0
    inverted: bool = False
    white: float | None = 255

    @property
    def deep(self) -> bool:
        return self.bits > 8 or self.signed or self.real

    @property
    def may_hold_less(self) -> bool:
        """Whether it is of 16 bits of which nothing says how many are used: cameras leave some empty."""
        return self.bits == 16 and not (self.signed or self.real) and self.white == DEEPEST

    @property
    def text(self) -> str:
        """ "3 bands of 16 bits"."""
        unit = f"{self.bits} bits{', real' if self.real else ', signed' if self.signed else ''}"
        return f"{self.bands} band{'s' if self.bands > 1 else ''} of {unit}"


def kind_of(image: Image.Image) -> Kind:
    """Of an opened picture that is not decoded yet."""
    bands = len(image.getbands())
    if image.format == "TIFF":
        return _tiff_kind(getattr(image, "tag_v2", {}), _tiff_pages(image))
    frames = getattr(image, "n_frames", 1) if getattr(image, "is_animated", False) else 1
    primary = image.format in ("MPO", "HEIF")  # the first is the photograph, by these formats' own rules
    pages, previews = (1, frames - 1) if primary else (frames, 0)
    if image.mode == "F":
        return Kind(32, real=True, bands=bands, pages=pages, white=None)
    if image.mode == "I" and image.format not in ("PNG", "PPM"):  # of these, Pillow's 16 bits in some versions
        return Kind(32, signed=True, bands=bands, pages=pages, white=None)
    if image.mode.startswith("I") or ";16" in _raw(image):
        return Kind(16, bands=bands, pages=pages, white=65535)
    return Kind(bands=bands, pages=pages, previews=previews)


def tiff_kind(data: bytes) -> Kind | None:
    """Of an encoded TIFF, even one that Pillow cannot show; None if it is none, or damaged."""
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    try:
        return _tiff_kind(next(_directories(io.BytesIO(data))), 1)
    except Exception:  # whatever its bytes lead to
        return None


def require_certain(kind: Kind, image: Image.Image, how: Reading, name: object) -> None:
    """Raises WsssError where showing the picture would be a guess: pages, ranges, colours."""
    if kind.pages > 1 and not how.first_page:
        raise WsssError(
            f"{name} holds {kind.pages} pages or frames, not one picture",
            "save each as a file of its own; --pages first takes the first of each file",
        )
    if kind.deep and how.white is None and (kind.white is None or kind.signed):
        raise WsssError(
            f"{name} has {kind.bits}-bit pixels{' (real)' if kind.real else ' (signed)' if kind.signed else ''}, "
            "whose range is not fixed",
            "say which value is white: --white-level 4095 (and --black-level); or save it with 8 bits",
        )
    if kind.signed and kind.bits == 8:
        raise WsssError(f"{name} has signed 8-bit pixels, which Pillow cannot read", "save it with unsigned ones")
    if image.mode in ("LAB", "HSV"):
        raise WsssError(f"{name} is in {image.mode} colours", "save it as RGB")


def has_other_band(image: Image.Image, kind: Kind, how: Reading) -> bool:
    """Whether a TIFF's last band is neither colour nor transparency, but infrared, say.  Decodes the picture."""
    if image.format != "TIFF" or kind.bands in (1, 3) or image.mode == "CMYK":
        return False
    if image.mode not in ("RGBA", "LA", "RGBa", "La") or how.alpha == "no":
        return True
    return how.alpha == "auto" and not _is_alpha(image)


def values(image: Image.Image, kind: Kind) -> NDArray[Any]:
    """(H, W), or (H, W, 3) of colours, numbers of a deep picture as its file holds them, Pillow's mode I mended."""
    found: NDArray[Any] = np.asarray(image)
    unsigned = kind.bits == 32 and not kind.signed and not kind.real
    return found.view(np.uint32) if unsigned else found[..., :3] if found.ndim == 3 else found


def stored(image: Image.Image) -> NDArray[Any]:
    """(H, W) numbers of an opened grey or palette picture as its file holds them, ids of classes in a mask.

    Pillow spreads grey values of 2 or 4 bits, and those of a PGM of any other largest value, over all of 8 or 16 bits.
    """
    largest = _largest_grey(image)
    found: NDArray[Any] = np.asarray(image)
    if largest is None:
        return found
    spread_to = DEEPEST if image.mode == "I" else 255
    return np.rint(found * (largest / spread_to)).astype(found.dtype)


def show_low_bytes(image: Image.Image) -> None:
    """Have an opened picture of 16-bit colours decoded to their low bytes; as it is, Pillow shows the high ones.

    The other byte order is asked for: "RGB;16B" and "RGB;16L" differ in nothing else.
    """
    raw = _raw(image)
    other = raw[:-1] + ("L" if raw.endswith("B") else "B")
    tiles = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other)
        for tile in image.tile  # type: ignore[attr-defined]
    ]
    image.tile = tiles  # type: ignore[attr-defined]


def has_halves(image: Image.Image) -> bool:
    """Whether the picture is of 16-bit colours, of which Pillow shows the high bytes alone."""
    return image.mode in ("RGB", "RGBA") and ";16" in _raw(image) and not _raw(image).startswith("LA")


def scaled(found: NDArray[Any], kind: Kind, how: Reading) -> NDArray[np.uint8]:
    """Values of any range as 0..255: the high 8 bits of integers between 0 and white, the nearest step of others.

    Raises ValueError if neither the file nor `how` says what is white.
    """
    white = kind.white if how.white is None else how.white
    if white is None or white <= how.black:
        raise ValueError(f"white {white} is not above black {how.black}")
    if how.black == 0 and float(white).is_integer() and found.dtype.kind in "iu":
        shown = found.astype(np.int64) * 256 // (int(white) + 1)
    else:
        share = (np.nan_to_num(found.astype(np.float64), nan=how.black) - how.black) / (white - how.black)
        shown = np.rint(np.clip(share, 0, 1) * 255)
    grey = np.clip(shown, 0, 255).astype(np.uint8)
    return 255 - grey if kind.inverted else grey


def _is_alpha(image: Image.Image) -> bool:
    """Transparency is 0 or full almost everywhere; infrared is not."""
    if getattr(image, "tag_v2", {}).get(EXTRA, (0,))[-1:] not in [(code,) for code in ALPHA]:
        return False
    counts = image.getchannel("A").histogram()
    return sum(counts[1:255]) <= MOSTLY * sum(counts)


def _raw(image: Image.Image) -> str:
    """How Pillow names the pixels' form in the file, "RGB;16B"; "" if it says nothing."""
    tiles = getattr(image, "tile", None)
    args = tiles[0].args if tiles else ""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _largest_grey(image: Image.Image) -> int | None:
    """The value that the file of a picture that is not decoded yet has for white, if Pillow shows it as another."""
    if few := re.match(r"L;([24])", _raw(image)):
        return 2 ** int(few[1]) - 1
    tiles = getattr(image, "tile", None)
    of_pgm = image.format == "PPM" and image.mode in ("L", "I") and tiles and isinstance(tiles[0].args, tuple)
    return int(tiles[0].args[1]) if tiles and of_pgm else None


def _tiff_kind(tags: Any, pages: int) -> Kind:
    bits = max(tags.get(BITS, (1,)))
    form = set(tags.get(FORMAT, (1,)))
    said = next((max(np.atleast_1d(tags[tag]).tolist()) for tag in LARGEST if tag in tags), None)
    unsaid = 2**bits - 1 if bits <= 16 else None
    return Kind(
        bits=bits,
        signed=2 in form,
        real=3 in form,
        bands=int(tags.get(SAMPLES, 1)),
        pages=pages,
        inverted=tags.get(PHOTOMETRIC) == 0 and bits > 8,  # of 8 bits and less, Pillow has done it
        white=said if said and said > 255 and (unsaid is None or said <= unsaid) else None if 3 in form else unsaid,
    )


def _tiff_pages(image: Image.Image) -> int:
    """Pages that are neither smaller copies of others, as pyramids have, nor masks, which Pillow cannot open."""
    directories = _directories(image.fp)  # type: ignore[attr-defined]  # of a file that is open
    return max(1, sum(not int(tags.get(SUBFILE, 0)) & REDUCED_OR_MASK for tags in directories))


def _directories(stream: IO[bytes]) -> Iterator[Any]:
    """The tags of a TIFF's pages, one after the other; of a chain that goes round each once."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream.seek(0)
    head = stream.read(8)
    tags = ImageFileDirectory_v2(head + stream.read(8) if b"+" in head[:4] else head)
    seen: set[int] = set()
    while tags.next and tags.next not in seen:
        seen.add(tags.next)
        stream.seek(tags.next)
        tags.load(stream)
        yield tags
