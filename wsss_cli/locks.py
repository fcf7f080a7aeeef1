"""One writer at a time: a lock on a file, released however its holder ends, and the name of the holder."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from wsss_cli.errors import WsssError
from wsss_cli.files import writing_allowed


@contextmanager
def locked(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Hold the lock `path` for the block; the system lets go of it when the process ends, so none is ever stale.

    what, remedy  for the second command: "another command (process 7 on HOST: wsss ...) <what>", and what to do
    Raises WsssError if another process holds the lock. A file system without locks is worked on without one.
    """
    lock = FileLock(path, blocking=False)
    with writing_allowed(path):
        try:
            lock.acquire()
        except Timeout:
            raise WsssError(f"another command{_holder(path)} {what}", remedy) from None
        except NotImplementedError:
            pass
    try:
        _sign(path)
        yield
    finally:
        _note(path).unlink(missing_ok=True)
        lock.release()


def _note(path: Path) -> Path:
    """Who holds it: beside the lock, because Windows lets nobody else read a file that is locked."""
    return path.with_name(f"{path.name}.holder")


def _sign(path: Path) -> None:
    with suppress(OSError):
        command = shlex.join(["wsss", *sys.argv[1:]])
        _note(path).write_text(f"process {os.getpid()} on {platform.node()}: {command}", encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        return f" ({_note(path).read_text(encoding='utf-8')[:300]})"
    except (OSError, UnicodeDecodeError):
        return ""
