"""Unpack what is wanted of archives: aside, then renamed, so that the folder is there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wsss_cli.console import counter
from wsss_cli.downloads.guard import USUAL, Limits
from wsss_cli.downloads.members import BUFFER, Count, Member, members, reading
from wsss_cli.errors import WsssError
from wsss_cli.files import writing_allowed

MEGABYTE = 10**6

Wanted = Callable[[str], str | None]
"""wanted(name of a member) -> its path below the folder, or None to leave it out."""


def names(archive: Path, limits: Limits = USUAL) -> Iterator[str]:
    """The names of the files in an archive, links left out; nothing is written.

    A plain tar or a zip tells them at once, a compressed tar has to be decompressed.  Raises WsssError as `unpack`.
    """
    with reading(archive):
        yield from (member.name for member in members(archive, limits) if not member.link)


def unpack(archives: Sequence[Path], folder: Path, wanted: Wanted, limits: Limits = USUAL) -> list[int]:
    """Unpack the wanted files of all archives (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz) into the new folder.

    Rights, owners and times in the archives are not taken over.  Returns the number of files of each archive.
    Raises WsssError, and leaves nothing: damaged or cut short; a member with an absolute path or '..', a link out of
    the folder, a device; a bomb (see Limits); a wanted file that is a link, or that comes twice.
    """
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with writing_allowed(aside / "x"):
            counts = [_unpack(archive, aside, wanted, limits) for archive in archives]
            aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return counts


def _unpack(archive: Path, aside: Path, wanted: Wanted, limits: Limits) -> int:
    done = 0
    with counter(f"unpack {archive.name}", "MB") as count, reading(archive):
        for member in members(archive, limits, _in_megabytes(count)):
            target = wanted(member.name)
            if target is not None:
                _write(member, aside / target, archive)
                done += 1
    return done


def _write(member: Member, path: Path, archive: Path) -> None:
    if member.link:
        raise WsssError(f"{archive}: its member '{member.name}' is a link", "unpack it by hand and give the folder")
    if path.exists():
        raise WsssError(f"{archive}: its member '{member.name}' is there a second time", "give only one of them")
    with writing_allowed(path), member.open() as source, path.open("xb") as file:
        shutil.copyfileobj(source, file, BUFFER)


def _in_megabytes(count: Count) -> Count:
    """Whole megabytes, and only when there is one more: a bar need not move for every small file."""
    shown = -1

    def tick(done: int, total: int) -> None:
        nonlocal shown
        now = -(-done // MEGABYTE) if done == total else done // MEGABYTE
        if now != shown:
            shown = now
            count(now, -(-total // MEGABYTE))

    return tick
