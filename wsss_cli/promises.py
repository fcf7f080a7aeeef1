"""The files that a stage promises to leave, image by image, and which of them are missing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wsss_cli.data.prepared import Sample

Promises = Mapping[str, Sequence[str]]
"""By sub-folder of the stage's folder ("" is that itself) the names of the files: {"cam": ["2007_000032.npz", ...]}."""

CHECKPOINT: Promises = {"": ("checkpoint.pt",)}
"""Of a stage that trains a network."""


def each(samples: Iterable[Sample], suffix: str) -> list[str]:
    """A file of every image."""
    return [f"{s.id}{suffix}" for s in samples]


def promised_ids(promises: Promises, folder: str) -> set[str]:
    """The images that a sub-folder is to have a file of."""
    return {name.rpartition(".")[0] for name in promises.get(folder, ())}


def ids_of(promises: Promises) -> set[str]:
    """The images that any sub-folder is to have a file of."""
    return {id for folder in promises if folder for id in promised_ids(promises, folder)}


def files_of(folder: Path, suffix: str) -> dict[str, Path]:
    """The files of that ending that lie in a folder, by image; none if it is not there.  Ids may have folders."""
    return {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in folder.rglob(f"*{suffix}")}


def label_of_each_cam(seeds: Promises) -> Promises:
    """A label map wherever the stage `seeds` leaves CAMs."""
    return {"labels": [f"{id}.png" for id in sorted(promised_ids(seeds, "cam"))]}


def lacking(folder: Path, promises: Promises) -> dict[str, list[str]]:
    """The promised files that are not there, by sub-folder: one listing of each, not a look at each file."""
    missing = {below: absent(folder / below, names) for below, names in promises.items()}
    return {below: names for below, names in missing.items() if names}


def absent(folder: Path, names: Iterable[str]) -> list[str]:
    """Those of the files that are not in the folder; names may have sub-folders of their own."""
    by_parent: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_parent[name.rpartition("/")[0]].append(name)
    gone = []
    for parent, below in by_parent.items():
        there = _listing(folder / parent)
        gone += [name for name in below if name.rpartition("/")[2] not in there]
    return gone


def unpromised(folder: Path, names: Iterable[str]) -> list[str]:
    """Other files that lie in a folder, by name."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return sorted(there - {*names})


def told(missing: Mapping[str, Sequence[str]], promises: Promises) -> str:
    """In words: "2 of 12 files of labels/ are missing, first a.png"."""
    parts = []
    for below, names in missing.items():
        whole = f"{len(names)} of {len(promises[below])} files of {below}/ are missing, first {names[0]}"
        parts.append(whole if below else f"{names[0]} is missing")
    return "; ".join(parts)


def _listing(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208  names alone: a Path each is many times slower
    except (FileNotFoundError, NotADirectoryError):
        return set()
