"""The files of a tar or zip archive, one after the other; memory stays flat."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

from wsss_cli.downloads.guard import USUAL, Guard, Limits
from wsss_cli.errors import WsssError
from wsss_cli.sound import open_file

BUFFER = 1 << 20
LONGEST_LINK = 4096  # bytes of a link's target
DECOMPRESSORS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
# What these modules raise on damaged archives; RuntimeError: an encrypted zip.
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)

Count = Callable[[int, int], None]


@dataclass(frozen=True)
class Member:
    """A file of an archive, or a link in it; the name is relative, with forward slashes and no '..'."""

    name: str
    open: Callable[[], IO[bytes]]
    link: bool = False


@contextmanager
def reading(archive: Path) -> Iterator[None]:
    """Turn what the readers raise on a missing or damaged archive into WsssError naming it."""
    try:
        yield
    except DAMAGED as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        if error.errno is None:  # gzip's and bz2's own
            raise _damaged(archive, error) from error
        raise WsssError(f"{archive} cannot be read: {error.strerror}", "check the path and its rights") from error


def members(archive: Path, limits: Limits = USUAL, count: Count = lambda done, total: None) -> Iterator[Member]:
    """The files of a .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz, each to be read before the next is asked for.

    count(bytes read, bytes of the archive).  Run it inside `reading(archive)`.
    Raises WsssError: a member with an absolute path or '..', a link that leaves the folder, a device; a bomb.
    """
    guard = Guard(archive, limits)
    with open_file(archive) as raw:
        magic = raw.read(6)
        raw.seek(0)
        for member in _zip(raw, guard) if magic.startswith(b"PK") else _tar(raw, magic, guard):
            count(raw.tell(), guard.size)
            yield member
        count(guard.size, guard.size)


class _Info(tarfile.TarInfo):
    """A tar ends with a block of zeros; tarfile takes a damaged or missing header for the end as well."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # typeshed has left it out
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Guarded(io.RawIOBase):
    """A decompressor's output, never more than the guard allows, whatever sizes are declared in it."""

    def __init__(self, plain: IO[bytes], guard: Guard) -> None:
        self.plain, self.guard, self.done = plain, guard, 0

    def read(self, size: int = -1) -> bytes:
        data = self.plain.read(size)
        self.done += len(data)
        self.guard.require(self.done)
        return data


def _tar(raw: IO[bytes], magic: bytes, guard: Guard) -> Iterator[Member]:
    """A plain tar is read by seeking, over what is not wanted; a compressed one as a stream."""
    decompress = next((open_ for start, open_ in DECOMPRESSORS.items() if magic.startswith(start)), None)
    if decompress is None:
        with tarfile.open(fileobj=raw, mode="r:", tarinfo=_Info) as tar:
            yield from _tar_members(tar, guard)
        return
    with decompress(raw) as plain:
        guarded = _Guarded(plain, guard)
        with tarfile.open(fileobj=guarded, mode="r|", tarinfo=_Info, bufsize=BUFFER) as tar:
            yield from _tar_members(tar, guard)
        while guarded.read(BUFFER):  # to its end, where the checksum stands
            pass


def _require_plain(info: tarfile.TarInfo, guard: Guard) -> None:
    """That tarfile would unpack it as data, whatever the guard has overlooked."""
    if hasattr(tarfile, "data_filter"):  # not in Python 3.11.0 to 3.11.3
        try:
            tarfile.data_filter(info, f"{guard.archive}.unpacked")
        except tarfile.FilterError as error:
            raise guard.refused(info.name, f"is unsafe: {error}") from error


def _tar_members(tar: tarfile.TarFile, guard: Guard) -> Iterator[Member]:
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
        name = guard.name(info.name)
        guard.add(info.size)
        if info.issym() or info.islnk():
            guard.link(info.name, info.linkname, posixpath.dirname(name) if info.issym() else "")
            _require_plain(info, guard)
            yield Member(name, io.BytesIO, link=True)
        elif info.isreg():
            _require_plain(info, guard)
            yield Member(name, lambda info=info: cast("IO[bytes]", tar.extractfile(info)))  # type: ignore[misc]
        elif not info.isdir():
            raise guard.device(info.name)


def _zip(raw: IO[bytes], guard: Guard) -> Iterator[Member]:
    with zipfile.ZipFile(raw) as file:
        for info in file.infolist():  # every size stands in the directory: a bomb is known before it is unpacked
            guard.name(info.filename)
            guard.add(info.file_size)
        for info in file.infolist():
            name = guard.name(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind == stat.S_IFLNK:
                with file.open(info) as target:
                    text = target.read(LONGEST_LINK).decode(errors="replace")
                guard.link(info.filename, text, posixpath.dirname(name))
                yield Member(name, io.BytesIO, link=True)
            elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise guard.device(info.filename)
            elif not info.is_dir():
                yield Member(name, lambda info=info: file.open(info))  # type: ignore[misc]


def _damaged(archive: Path, error: Exception) -> WsssError:
    text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return WsssError(f"{archive} is damaged, cut short, or no tar or zip archive: {text}", "copy or download it again")
