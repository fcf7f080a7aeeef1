"""Files that are there whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wsss_cli.errors import WsssError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_RIGHT = (errno.EACCES, errno.EROFS, errno.EPERM)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it at the end and removed on any failure.

    Raises WsssError where the user can act on it: disk full, no permission.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with writing_allowed(path):
        try:
            yield aside
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
        if error.errno in NO_SPACE:
            raise WsssError(
                f"no space left while writing {path}", "free some space and run the command again"
            ) from error
        if error.errno in NO_RIGHT:
            raise WsssError(f"not allowed to write {path}", "choose another folder or change its rights") from error
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise WsssError(f"{path.parent} is no folder", "choose another folder, or move that file away") from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with writing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    with writing(path) as aside:
        aside.write_bytes(data)


def put_in_place(folder: Path, place: Path, former: Path) -> None:
    """Rename `folder` to `place` and what is there to `former`, which goes; on failure what is there stays."""
    shutil.rmtree(former, ignore_errors=True)
    place.replace(former)
    try:
        folder.replace(place)
    except OSError:
        former.replace(place)
        raise


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
