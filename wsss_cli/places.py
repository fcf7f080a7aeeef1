"""Settings that name a file or a folder: whether it is there, and whether it is still the one that was used."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator

from wsss_cli.nested import nested
from wsss_cli.sound import open_file

SAMPLED = 64  # files of a folder whose content its digest looks at


@dataclass(frozen=True)
class Place:
    """Says of a setting, in its annotation, that its value names a file or a folder unless it is one of `words`.

    find   what the value stands for, where that is not the path itself
    asked  whether the plan asks if it is there; else who looks into it does
    """

    kind: Literal["file", "folder", "any"] = "file"
    words: tuple[str, ...] = ()
    find: Callable[[str], Path] = lambda value: Path(value).expanduser()
    asked: bool = True

    def exists(self, value: str) -> bool:
        path = self.find(value)
        return {"file": path.is_file, "folder": path.is_dir, "any": path.exists}[self.kind]()


FILE, FOLDER = Place(), Place("folder")
WEIGHTS = Place(words=("timm", "none"))


Paths = Annotated[tuple[Path, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str | Path) else given)]
"""An option that may be given several times; in Python, one path stands for itself."""


def own_places(config: BaseModel) -> Iterator[tuple[str, Place, str]]:
    """(key, place, value) of each setting of `config` itself that names something on disk."""
    for name, info in type(config).model_fields.items():
        place, value = next((m for m in info.metadata if isinstance(m, Place)), None), getattr(config, name)
        if place is not None and isinstance(value, str) and value not in place.words:
            yield info.alias or name, place, value


def places(config: BaseModel) -> Iterator[tuple[str, Place, str]]:
    """The same, of the settings within it too: ("net.pretrained", WEIGHTS, "weights.pth")."""
    for prefix, inner in nested(config):
        for key, place, value in own_places(inner):
            yield prefix + key, place, value


def has_checkpoint(config: BaseModel) -> bool:
    """Whether the settings give a trained network in place of a training."""
    return any(key.rpartition(".")[2] == "checkpoint" for key, _, _ in places(config))


def identities(config: BaseModel, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each file and folder that the settings name is now: {key: {path, size, mtime_ns, digest}}.

    known  the same of an earlier time: a file of the size and time that it has there is not read again
    What is not there is left out: it cannot be said to have changed.
    """
    found = {key: (value, place.find(value)) for key, place, value in places(config)}
    return {
        key: {"path": value, **identity(path, known.get(key, {}))}
        for key, (value, path) in found.items()
        if path.is_file() or path.is_dir()
    }


def identity(path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Of a file its size, time and digest; of a folder its digest."""
    if path.is_dir():
        return {"digest": digest_of(path)}
    stat = path.stat()
    seen = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    same = "digest" in known and all(known.get(key) == value for key, value in seen.items())
    return seen | {"digest": known["digest"] if same else file_digest(path)}


def digest_of(path: Path) -> str:
    """Of a file or a folder."""
    return folder_digest(path) if path.is_dir() else file_digest(path)


def file_digest(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, _hash).hexdigest()


def folder_digest(folder: Path) -> str:
    """Of the names and sizes of all files below it, and of the content of a sample of them, evenly spread.

    Cheap enough for 120,000 label maps, and the same wherever the folder is copied to.  One file that is replaced by
    another of its very size may be missed.
    """
    files = sorted(_files(folder, ""))
    digest = _hash(repr(files).encode())
    for name, _ in files[:: max(1, len(files) // SAMPLED)]:
        digest.update(file_digest(folder / name).encode())
    return digest.hexdigest()


def _files(folder: Path, below: str) -> Iterator[tuple[str, int]]:
    """(path below the folder, size) of each."""
    with os.scandir(folder / below) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(folder, f"{below}{entry.name}/")
            elif entry.is_file():
                yield f"{below}{entry.name}", entry.stat().st_size


def _hash(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)
