"""A published file, fetched whole and checked, or a message that says how to fetch it by hand."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from wsss_cli import console
from wsss_cli.downloads.network import unreachable
from wsss_cli.errors import WsssError
from wsss_cli.files import CANNOT_TAKE, NO_RIGHT, writing_allowed
from wsss_cli.locks import locked
from wsss_cli.sound import open_file
from wsss_cli.version import __version__

CHUNK = 1 << 18  # bytes; what a dropped connection can lose
MEGABYTE = 10**6
TIMEOUT = 30.0  # seconds without a byte
TRIES_BEFORE, TRIES_AFTER = 2, 8  # in a row without progress: before the first byte came, and afterwards
LONGEST_PAUSE = 60.0  # seconds between two tries
PASSING = (408, 425, 429)  # HTTP errors that may pass, as those from 500 on

Count = Callable[[int, int], None]


@dataclass(frozen=True)
class Remote:
    """A published file: its name on disk, its URLs (tried in order), and "md5:..." or "sha256:..." of its bytes."""

    name: str
    urls: tuple[str, ...]
    digest: str


class _Unreachable(Exception):
    """This URL gives nothing more."""


def downloads(folder: Path) -> Path:
    """Where archives are kept: beside the prepared data sets, of which `folder` is one (in the making)."""
    return folder.absolute().parent / "downloads"


def fetch(remote: Remote, folder: Path, by_hand: str, pause: float = 1.0) -> Path:
    """The file `folder / remote.name`, downloaded unless it is there, its digest checked.

    What is there of an earlier attempt (NAME.partial) is continued by an HTTP range; a dropped connection is tried
    again after pause, 2 pause, 4 pause, ... seconds, for as long as bytes keep coming now and then.
    by_hand  what to do with a file that was fetched by hand: "pass it with --archive FILE"
    Raises WsssError: unreachable, or its digest is another.
    """
    path = folder / remote.name
    if path.is_file():
        require_digest(path, remote.digest, f"delete it to have it fetched again, or {by_hand}")
        return path
    partial = folder / f"{remote.name}.partial"
    lock = locked(folder / f".{remote.name}.lock", f"is downloading {partial}", "wait for it to finish")
    with lock, writing_allowed(partial), partial.open("ab") as file:
        if not path.is_file():  # unless another command has just finished it
            _complete(remote, file, partial, by_hand, pause)
            partial.replace(path)
    return path


def digest_of(path: Path, kind: str = "md5") -> str:
    """ "md5:..." of a file's bytes."""
    with open_file(path) as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return f"{kind}:{found.hexdigest()}"


def require_digest(path: Path, digest: str, remedy: str) -> None:
    """Raises WsssError unless the file's digest is `digest`."""
    found = digest_of(path, digest.partition(":")[0])
    if found != digest:
        raise WsssError(f"{path} is not the published file: its digest is {found}, not {digest}", remedy)


def _complete(remote: Remote, file: IO[bytes], partial: Path, by_hand: str, pause: float) -> None:
    """Download the rest of `partial`, open as `file`, and check it; what cannot be continued is removed."""
    try:
        _download(remote, file, by_hand, pause)
    finally:
        file.flush()
        if not partial.stat().st_size:
            partial.unlink()
    try:
        again = f"it is removed; run the command again, or {_instead(remote, by_hand)}"
        require_digest(partial, remote.digest, again)
    except WsssError:
        partial.unlink()
        raise


def _download(remote: Remote, file: IO[bytes], by_hand: str, pause: float) -> None:
    """Append to `file` until it is whole."""
    problems = []
    with console.counter(f"download {remote.name}", "MB") as count:
        for url, silent in zip(remote.urls, unreachable(remote.urls)):
            if silent:
                problems.append(f"{_host(url)}: {silent}")
                continue
            try:
                return _persist(url, file, count, pause)
            except _Unreachable as error:
                problems.append(f"{_host(url)}: {error}")
    done = _megabytes(file.tell())
    kept = f"; or run the command again, which goes on from {done} MB" if done else ""
    what = f"{remote.name} cannot be downloaded: {'; '.join(problems)}"
    raise WsssError(what, _instead(remote, by_hand) + kept)


def _instead(remote: Remote, by_hand: str) -> str:
    return f"fetch it by hand from {remote.urls[0]} and {by_hand}"


def _persist(url: str, file: IO[bytes], count: Count, pause: float) -> None:
    """Receive, and receive on where the connection broke.  Raises _Unreachable when nothing more comes."""
    start = furthest = file.seek(0, os.SEEK_END)
    tries = 0
    while True:
        try:
            if _receive(url, file, count):
                return
            reason = "the connection was dropped"
        except HTTPError as error:
            reason = f"HTTP {error.code} {error.reason}"
            if error.code < 500 and error.code not in PASSING:
                raise _Unreachable(reason) from error
        except (HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.errno in (*CANNOT_TAKE, *NO_RIGHT):
                raise  # of the disk, not of the network
            reason = str(error.reason if isinstance(error, URLError) else error) or type(error).__name__
        now = file.seek(0, os.SEEK_END)
        tries = 1 if now > furthest else tries + 1
        furthest = max(furthest, now)
        if tries >= (TRIES_AFTER if furthest > start else TRIES_BEFORE):
            raise _Unreachable(reason)
        wait = min(pause * 2 ** (tries - 1), LONGEST_PAUSE)
        where = f"at {_megabytes(now)} MB: " if now else ""
        console.warn(f"{_host(url)}: {where}{reason}; trying again in {wait:.3g} s")
        time.sleep(wait)


def _receive(url: str, file: IO[bytes], count: Count) -> bool:
    """One request for what is missing; whether the file is whole afterwards."""
    start = file.seek(0, os.SEEK_END)
    headers = {"User-Agent": f"wsss/{__version__}", **({"Range": f"bytes={start}-"} if start else {})}
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != 416:  # the range asked for begins at or behind the end
            raise
        if _range(error.headers.get("Content-Range", ""))[1] == start:
            return True
        file.truncate(0)
        return False
    with response:
        first, total = _range(response.headers.get("Content-Range", ""))
        if response.status != 206:  # a server without ranges sends everything again
            first, total = 0, int(response.headers.get("Content-Length", 0))
        if first != start:
            file.truncate(0)
        if first not in (0, start):
            return False
        while data := response.read(CHUNK):
            file.write(data)
            count(_megabytes(file.tell()), _megabytes(total))
    return file.tell() == total or not total


def _range(text: str) -> tuple[int, int]:
    """First byte and size of "bytes 5-9/10" or "bytes */10"; 0 for what it does not say."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", text.strip())
    if not match:
        return 0, 0
    return int(match[1] or 0), int(match[2]) if match[2] != "*" else 0


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _megabytes(count: int) -> int:
    return -(-count // MEGABYTE)
