"""Whether a file is what was written: the check sums that PNG and zip (npz, pt) carry, which their readers skip.

Pillow looks at no sum of a PNG's pixels and torch at none of a checkpoint: one flipped bit gives other labels, or
other weights, without a word.
"""

from __future__ import annotations

import errno
import io
import json
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any, TextIO

from wsss_cli.errors import WsssError

PNG = b"\x89PNG\r\n\x1a\n"
SKIPPED = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tIME")  # no pixel depends on them, and editors get them wrong
KEEPING = (".png", ".npz", ".pt")
"""Endings of files that carry sums of their content: they tell themselves when they are read."""


def require_file(path: Path) -> None:
    """Raises WsssError for a folder, a pipe or a device in a file's place: reading one may never end.

    What is missing or forbidden raises its OSError.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        what = kinds.get(stat.S_IFMT(mode), "a device")
        raise WsssError(f"{path} is {what}, not a file", "give a file, or move it away")


def open_file(path: Path) -> io.BufferedReader:
    """A file, open for reading: all that others may have put there is opened by it.  Raises as `require_file`."""
    require_file(path)
    return path.open("rb")


def open_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> TextIO:
    """The same as text, its lines ended by \\n."""
    return io.TextIOWrapper(open_file(path), encoding, errors)


def read_bytes(path: Path) -> bytes:
    """A file's content.  Raises as `require_file`."""
    with open_file(path) as file:
        return file.read()


def read_text(path: Path) -> str:
    """UTF-8 text.  Raises WsssError: missing, forbidden, no file; ValueError if it is no text."""
    try:
        with open_text(path) as file:
            return file.read()
    except FileNotFoundError as error:
        raise WsssError(f"{path} cannot be read: it is missing", "check the path") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error


def sum_of(content: Any) -> str:
    """CRC-32 of plain data, for a file that keeps it beside the data."""
    return f"{zlib.crc32(json.dumps(content, sort_keys=True, default=str).encode()):08x}"


def fault(path: Path) -> str:
    """Why the file is not as it was written, by its own sums; "" if it is, or carries none.  Raises OSError."""
    if path.suffix == ".png":
        data = read_bytes(path)
        return png_fault(data) if data.startswith(PNG) else "it is no PNG"
    if path.suffix in KEEPING:
        return zip_fault(path)
    if path.suffix == ".json":
        return _json_fault(path)
    return ""


def png_fault(data: bytes) -> str:
    """Why a PNG is not as it was written; "" if it is, or is no PNG."""
    if not data.startswith(PNG):
        return ""
    at, kind = len(PNG), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            return "its end is missing"
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            return "its end is missing"
        found, wanted = zlib.crc32(memoryview(data)[at + 4 : end]), int.from_bytes(data[end : end + 4], "big")
        if found != wanted and kind not in SKIPPED:
            return f"the check sum of a part ({kind.decode('latin-1')!s}) is wrong".replace("\0", "?")
        at = end + 4
    return ""


def jpeg_fault(data: bytes) -> str:
    """Why a JPEG ends before its end; "" if it does not, or is none.

    Decoders fill up what is missing, and take zeros for pixels.  Within the pixels' data an 0xFF is followed by 0, so
    the mark of the end stands nowhere else.
    """
    if not data.startswith(b"\xff\xd8\xff") or b"\xff\xd9" in data[data.rfind(b"\xff\xda") :]:
        return ""
    return "its second part is missing or overwritten: the mark of its end is not there"


def zip_fault(path: Path) -> str:
    """Why a zip, such as a checkpoint, is not as it was written; "" if it is.  Raises OSError."""
    with open_file(path) as raw:
        try:
            with zipfile.ZipFile(raw) as file:
                if not any(member.CRC for member in file.infolist()):  # torch can be told to write none
                    return ""
                wrong = file.testzip()
        except Exception as error:  # a damaged directory raises whatever its bytes lead to
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # that one is of places that no file has
                raise
            return f"no readable archive: {error}"
    return "" if wrong is None else f"the check sum of its part {wrong} is wrong"


def _json_fault(path: Path) -> str:
    try:
        json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    return ""
