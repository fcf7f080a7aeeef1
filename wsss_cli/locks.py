"""One writer at a time: a lock on a file, released however its holder ends, and the name of the holder."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from wsss_cli.errors import WsssError
from wsss_cli.files import inode, is_writable, writing_allowed

QUICK = 2.0  # seconds; who only joins those that share a lock holds it for milliseconds


@contextmanager
def locked(path: Path, what: str, remedy: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock `path` for the block; the system lets go of it when the process ends, so none is ever stale.

    what, remedy  for the second command: "another command (process 7 on HOST since TIME: wsss ...) <what>", what to do
    wait          seconds for which the second command tries
    Raises WsssError if another process holds the lock. A file system without locks is worked on without one.
    """
    lock = FileLock(path, timeout=wait)
    with writing_allowed(path):
        try:
            _acquire(lock, path)
        except Timeout:
            raise WsssError(f"another command{_holder(path)} {what}", remedy) from None
        except NotImplementedError:
            pass
    try:
        _sign(path)
        yield
    finally:
        for file in (_note(path), path):
            with suppress(OSError):  # Windows removes no file that is open
                file.unlink(missing_ok=True)
        lock.release()


@contextmanager
def shared(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Keep others from holding the lock `path`, together with all who share it: see `require_unshared`.

    Raises WsssError as `locked`. In a folder that cannot be written to there is nobody to keep away.
    """
    with ExitStack() as stack:
        if is_writable(path.parent):
            who = f"{platform.node()}-{os.getpid()}-{threading.get_ident()}"
            mine = path.with_name(f"{path.name}.used-{who}")
            with locked(path, what, remedy, QUICK):
                stack.enter_context(locked(mine, what, remedy))
        yield


def require_unshared(path: Path, what: str, remedy: str) -> None:
    """For the holder of `path`.  Raises WsssError if somebody shares it still; those who were killed do not."""
    for other in path.parent.glob(f"{path.name}.used-*"):
        if other.suffix != ".holder":
            with locked(other, what, remedy):
                pass


def _acquire(lock: FileLock, path: Path) -> None:
    """Its last holder removes the file: what was opened may be a lock that nobody else sees."""
    nameless = 0
    while True:
        path.touch()
        seen = inode(path)
        try:
            lock.acquire()
        except Timeout:
            nameless += 1
            if _note(path).exists() or nameless > 10:
                raise
            time.sleep(0.02)  # its holder is just coming, and will sign, or going
            continue
        if seen == inode(path):
            return
        lock.release()


def _note(path: Path) -> Path:
    """Who holds it: beside the lock, because Windows lets nobody else read a file that is locked."""
    return path.with_name(f"{path.name}.holder")


def _sign(path: Path) -> None:
    with suppress(OSError):
        command = shlex.join(["wsss", *sys.argv[1:]])
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        note = f"process {os.getpid()} on {platform.node()} since {since}: {command}"
        _note(path).write_text(note, encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        return f" ({_note(path).read_text(encoding='utf-8')[:300]})"
    except (OSError, UnicodeDecodeError):
        return ""
