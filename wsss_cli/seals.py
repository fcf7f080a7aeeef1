"""What a finished stage vouches for: size, time and CRC-32 of each file it left, in `files.sum` beside stage.json.

A file of the size and time that it had, and that carries sums of its own, is not read again: it tells itself when it is
(`sound`).  So 1,000 label maps cost a look at each, and a folder that was copied elsewhere one reading.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_cli import console
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.places import file_digest
from wsss_cli.sound import KEEPING, fault, open_file, read_text

NAME = "files.sum"
ASIDE = "damaged"
"""The sub-folder of a stage that holds what was found damaged: nothing is deleted that somebody may want to look at."""
RECORDS = ("stage.json", "config.yaml", "log.txt", NAME)  # of the stage's course, not its result
JOURNAL = "metrics.jsonl"
BLOCK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one file: CRC-32 of its content, size in bytes, time of its last change in ns."""

    crc: int
    size: int
    time: int


def seal(folder: Path) -> str:
    """Write files.sum of all that lies in a stage's folder; returns its digest, for stage.json."""
    names = sorted(artefacts(folder))
    sums = ParallelMap(lambda name: _sum(folder / name), names)
    lines = [f"{s.crc:08x} {s.size} {s.time} {name}\n" for name, s in zip(names, sums)]
    write_text(folder / NAME, "".join(lines))
    return file_digest(folder / NAME)


def sealed(folder: Path, digest: str) -> dict[str, Sum] | None:
    """The sums of a stage's files, by their names below its folder; None if files.sum is gone or was changed."""
    path = folder / NAME
    if not path.is_file() or file_digest(path) != digest:
        return None
    rows = (line.split(" ", 3) for line in read_text(path).splitlines())
    return {name: Sum(int(crc, 16), int(size), int(time)) for crc, size, time, name in rows}


def sums_of(folder: Path, record: Mapping[str, Any] | None) -> dict[str, Sum]:
    """`sealed` of a stage's record; none where it vouches for nothing, or its files.sum is gone or was changed."""
    return (sealed(folder, record["seal"]) if record and "seal" in record else None) or {}


def damaged(folder: Path, sums: Mapping[str, Sum], names: Iterable[str], every: bool = False) -> list[str]:
    """Those of the files that are there, but not as they were sealed; what is gone, promises tell.

    every  read also those that have their size and time
    """
    doubtful = [name for name in names if name in sums and not _looks_kept(folder / name, sums[name], every)]
    kept = ParallelMap(lambda name: _is_kept(folder / name, sums[name]), doubtful)
    return [name for name, whole in zip(doubtful, kept) if not whole]


def clear_damaged(folder: Path, record: Mapping[str, Any] | None) -> None:
    """Before a stage goes on: take what is damaged out of its folder, so that it is made again.

    record  as in `sound`
    """
    names = {*artefacts(folder), *sums_of(folder, record)}
    for name in sorted(names.difference(sound(folder, record, names))):
        place = folder / ASIDE / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(place)
        console.warn(f"{folder / name} is damaged: it is made again; what was there is kept in {folder / ASIDE}")


def sound(folder: Path, record: Mapping[str, Any] | None, names: Collection[str]) -> list[str]:
    """Those of a stage's files that are not damaged.

    record  its stage.json, if there is one; what that does not vouch for is asked for its own sums
    """
    sums = sums_of(folder, record)
    wrong = set(damaged(folder, sums, names))
    unsealed = [name for name in names if name not in sums]
    wrong |= {name for name, why in zip(unsealed, ParallelMap(lambda name: fault(folder / name), unsealed)) if why}
    return [name for name in names if name not in wrong]


def artefacts(folder: Path) -> list[str]:
    """What a stage has left, by names below its folder; nothing if there is none."""
    return list(_artefacts(folder)) if folder.is_dir() else []


def holds_artefacts(folder: Path) -> bool:
    """Whether a stage has left anything there; a journal of losses alone is no result."""
    return folder.is_dir() and any(not name.endswith(JOURNAL) for name in _artefacts(folder))


def _artefacts(folder: Path, below: str = "") -> Iterator[str]:
    with os.scandir(folder / below) as entries:
        for entry in entries:
            name = below + entry.name
            if entry.name.startswith(".") or name in RECORDS or name == ASIDE:
                continue
            if entry.is_dir():
                yield from _artefacts(folder, name + "/")
            elif entry.is_file():
                yield name


def _looks_kept(path: Path, wanted: Sum, every: bool) -> bool:
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    same = (stat.st_size, stat.st_mtime_ns) == (wanted.size, wanted.time)
    return same and not every and path.suffix in KEEPING


def _is_kept(path: Path, wanted: Sum) -> bool:
    try:
        return path.is_file() and path.stat().st_size == wanted.size and _sum(path).crc == wanted.crc
    except OSError as error:  # forbidden is not damaged
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error


def _sum(path: Path) -> Sum:
    crc, stat = 0, path.stat()
    with open_file(path) as file:
        while block := file.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return Sum(crc, stat.st_size, stat.st_mtime_ns)
