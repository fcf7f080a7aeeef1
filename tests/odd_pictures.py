"""Pictures that Pillow cannot write: TIFFs of any bands and depth, PNGs of 16-bit colours
or of few bits."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_tiff(path: Path, pixels: NDArray[np.generic], extra: int | None = None) -> Path:
    """One uncompressed strip of (H, W) or (H, W, B) pixels; of B > 3 bands `extra` says what the last ones are."""
    height, width = pixels.shape[:2]
    bands = 1 if pixels.ndim == 2 else pixels.shape[2]
    form = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    shorts = {258: [8 * pixels.dtype.itemsize] * bands, 339: [form] * bands}
    shorts |= {259: [1], 262: [2 if bands >= 3 else 1], 277: [bands], 284: [1]}
    if extra is not None:
        shorts[338] = [extra] * (bands - (3 if bands > 3 else 1))
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    longs = {256: width, 257: height, 273: 8, 278: height, 279: len(data)}
    entries, behind = [], b""
    first = 8 + len(data) + 2 + 12 * (len(shorts) + len(longs)) + 4
    for tag in sorted({*shorts, *longs}):
        if tag in longs:
            entries.append(struct.pack("<HHII", tag, 4, 1, longs[tag]))
        elif len(shorts[tag]) <= 2:
            entries.append(struct.pack("<HHIHH", tag, 3, len(shorts[tag]), *[*shorts[tag], 0][:2]))
        else:
            entries.append(struct.pack("<HHII", tag, 3, len(shorts[tag]), first + len(behind)))
            behind += struct.pack(f"<{len(shorts[tag])}H", *shorts[tag])
    folder = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + folder + behind)
    return path


def write_png16(path: Path, pixels: NDArray[np.uint16]) -> Path:
    """A PNG of 16-bit colours (H, W, 3)."""
    return _write_png(path, (16, 2), pixels.shape, [row.astype(">u2").tobytes() for row in pixels])


def write_few_bits(path: Path, values: NDArray[np.integer], bits: int, palette: bytes = b"") -> Path:
    """A PNG of 1, 2 or 4 bits of (H, W) values: grey, or with a palette."""
    digits = ["".join(f"{value:0{bits}b}" for value in row) for row in values.tolist()]
    rows = [bytes(int(row[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(row), 8)) for row in digits]
    return _write_png(path, (bits, 3 if palette else 0), values.shape, rows, palette)


def _write_png(
    path: Path, form: tuple[int, int], shape: tuple[int, ...], rows: list[bytes], palette: bytes = b""
) -> Path:
    """form  bits of a sample, and PNG's number of what they are."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", shape[1], shape[0], *form, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    colours = chunk(b"PLTE", palette) if palette else b""
    parts = chunk(b"IHDR", head) + colours + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path
