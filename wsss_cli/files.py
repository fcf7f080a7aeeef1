"""Files that are there whole or not at all: written under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_native_id

from wsss_cli.errors import Hindrance, WsssError

FREE = "free some space and run the command again"
CANNOT_TAKE = {
    errno.ENOSPC: ("no space left while writing {}", FREE),
    errno.EDQUOT: ("no space left while writing {}", FREE),
    errno.EFBIG: (
        "{} is larger than its file system, or a limit (`ulimit -f`), allows",
        "choose another disk or lift the limit, and run the command again",
    ),
    errno.EROFS: (
        "not allowed to write {}: its file system is read-only",
        "choose another folder, or mount it for writing",
    ),
}
"""What only writing raises, whatever the file: its place cannot take it."""
NO_RIGHT = (errno.EACCES, errno.EPERM)
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # Linux' fcntl.h, fs.h


@contextmanager
def writing(path: Path, flushed: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it at the end and removed on any failure.

    flushed  to the disk before: not for one of many small files, which `flush_all` flushes together
    Raises WsssError where the user can act on it: disk full, no permission.
    """
    aside = path.with_name(f".{path.name}.{get_native_id()}.part")  # threads may write one file at once, too
    with writing_allowed(path):
        try:
            yield aside
            if flushed:
                _flush(aside)
            aside.replace(path)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise


@contextmanager
def writing_allowed(path: Path) -> Iterator[None]:
    """Make the folder of `path`, and turn what the system says against writing there into WsssError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if hindrance := cannot_take(error, path):
            raise hindrance from error
        if error.errno in NO_RIGHT:
            raise Hindrance(f"not allowed to write {path}", "choose another folder or change its rights") from error
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise WsssError(f"{path.parent} is no folder", "choose another folder, or move that file away") from error
        named = error.filename is not None and _concerns(Path(error.filename), path)
        if named and error.errno != errno.ENAMETOOLONG:  # which the app tells, of any path
            raise WsssError(f"{path} cannot be written: {error.strerror}", "choose another folder") from error
        raise


def cannot_take(error: OSError, path: Path | str) -> Hindrance | None:
    """What there is to say where the place of `path` cannot take what is written; None if the error is another one."""
    if error.errno not in CANNOT_TAKE:
        return None
    what, remedy = CANNOT_TAKE[error.errno]
    return Hindrance(what.format(path), remedy)


def _concerns(named: Path, path: Path) -> bool:
    """Whether an error names what is written: itself, its temporary name, or a folder that it is to be in."""
    return named == path or named in path.parents or (named.parent == path.parent and named.suffix == ".part")


def require_makeable(place: Path, option: str, folder: bool = True) -> None:
    """Raises WsssError, before work starts, if no folder (or file) can be made there, or none be written in it."""
    whole = place.absolute()
    there = next(path for path in (whole, *whole.parents) if os.path.lexists(path))
    what, remedy = f"{option} {place}", f"choose another {'folder' if folder else 'file'} with {option}"
    if not whole.name or (there == whole and whole.is_dir() != folder):
        raise WsssError(f"{what} is {'no folder' if folder else 'a folder, not a file'}", remedy)
    inside = there if there.is_dir() else there.parent if there == whole else None
    if inside is None:
        raise WsssError(f"{what}: {there} is no folder", remedy)
    try:
        with tempfile.TemporaryFile(dir=inside):
            pass
    except OSError as error:
        raise WsssError(f"{what}: nothing can be written in {inside}: {error.strerror}", remedy) from error


def write_text(path: Path, text: str, flushed: bool = True) -> None:
    """Write UTF-8 text, whole or not at all; flushed as `writing`."""
    with writing(path, flushed) as aside:
        aside.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    with writing(path) as aside:
        aside.write_bytes(data)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_all(folder: Path) -> None:
    """Have the disk hold all that was written below `folder`: at once, for a flush of each file takes its time."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows, which has neither
        return
    syncfs = getattr(ctypes.CDLL(None), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        syncfs(handle)
    finally:
        os.close(handle)


def put_in_place(folder: Path, place: Path, former: Path | None = None) -> None:
    """Exchange `place` for the new `folder`; what was there becomes `former`, or goes; on failure it stays.

    Who is killed meanwhile leaves the old or the new at `place`: on Linux in one step, elsewhere by `restore`.
    folder  beside `followed(place)`, so on its disk
    """
    place = followed(place)
    old = _old(place)
    shutil.rmtree(old, ignore_errors=True)
    flush_all(folder)
    if _exchanged(folder, place):
        folder.replace(old)
    else:
        place.replace(old)
        try:
            folder.replace(place)
        except OSError:
            old.replace(place)
            raise
    flush_all(place.parent)
    if former is not None:
        shutil.rmtree(former, ignore_errors=True)
        old.replace(former)
    shutil.rmtree(old, ignore_errors=True)


def restore(place: Path) -> None:
    """Put right what one who was killed in `put_in_place` left; to be called by nobody else meanwhile."""
    place = followed(place)
    if is_lost(place):
        _old(place).replace(place)
    shutil.rmtree(_old(place), ignore_errors=True)


def is_lost(place: Path) -> bool:
    """Whether a kill left the folder under its other name."""
    return _old(place).is_dir() and not place.exists()


def _old(place: Path) -> Path:
    place = followed(place)
    return place.with_name(f".{place.name}.old")


def _exchanged(a: Path, b: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return rename is not None and rename(AT_FDCWD, bytes(a), AT_FDCWD, bytes(b), RENAME_EXCHANGE) == 0


def link(source: str | Path, target: str | Path) -> None:
    """A second name for a file, or a copy where the file system has no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def inode(path: Path) -> int | None:
    """The number by which another file or folder under the same name is told; None if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def is_taken(place: Path) -> bool:
    """Whether something is there other than an empty folder."""
    return place.exists() and not (place.is_dir() and not any(place.iterdir()))


def followed(folder: Path) -> Path:
    """Where a folder lies: of a link what it leads to, which is the user's choice of a place.

    What takes the folder's place, and what was in its place before, stands beside that: on one disk.
    Raises WsssError if there is no such place: the disk is not mounted.
    """
    if not folder.is_symlink():
        return folder
    target = Path(os.path.realpath(folder))
    if not target.parent.is_dir():
        what = f"{folder} is a link to {target}, and there is no folder {target.parent}"
        raise WsssError(what, "mount its disk, or remove the link")
    return target


def plain(path: Path) -> Path:
    """Absolute, without "..", through no link."""
    return Path(os.path.abspath(path))  # noqa: PTH100  Path.absolute keeps '..', Path.resolve follows links


def is_writable(folder: Path) -> bool:
    """Whether files can be made in it, or, if it is not there, whether it can."""
    return os.access(deepest_there(folder), os.W_OK)


def deepest_there(folder: Path) -> Path:
    """The folder, or where it is to be: the deepest above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def keep_if_made_from(folder: Path, recipe: str) -> None:
    """Empty `folder`, unless what is in it was made from the same `recipe`: any text, kept in its made_from.txt."""
    path = folder / "made_from.txt"
    if not (path.is_file() and path.read_text(encoding="utf-8", errors="replace") == recipe):
        shutil.rmtree(folder, ignore_errors=True)
        write_text(path, recipe)


def append_text(path: Path, text: str) -> None:
    """Add UTF-8 text to the end of a file."""
    with writing_allowed(path), path.open("a", encoding="utf-8") as file:
        file.write(text)


def sweep(folder: Path) -> None:
    """Remove the temporary files of writers that were killed."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)
