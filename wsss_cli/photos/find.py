"""The photos that files, folders and patterns name, each with the name that its results get."""

from __future__ import annotations

import glob
import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.errors import WsssError
from wsss_cli.files import plain
from wsss_cli.sound import read_text

RESULTS = "predictions.json"
"""Marks a folder of results: what lies in it is no photo.  Others have files of that name too: see `results_of`."""


@dataclass(frozen=True)
class Photo:
    """A file and the name of its results: its path below the folder that holds all, without its ending."""

    path: Path
    id: str


@dataclass(frozen=True)
class Photos:
    """Those that were found, in order, and the deepest folder that holds all that was named."""

    root: Path
    found: tuple[Photo, ...]


def find_photos(named: Sequence[str], leave_out: Collection[Path] = (), root: Path | None = None) -> Photos:
    """The photos of files, folders (and the folders in them) and patterns such as "a/**/*.jpg", each once.

    A file that is named is taken whatever it is called; of folders and patterns those that are called like images.
    leave_out  folders that are not looked into, beside folders of results
    root       the folder that holds all, whatever is in it now; None: see Photos
    Raises WsssError for a name that stands for nothing.
    """
    bases = [] if root is None else [plain(root)]
    paths: dict[Path, None] = {}
    for name in named:
        base, found = _named(name, leave_out)
        if not found:
            raise WsssError(f"--images {name}: {_lack(name)}", "give image files, a folder of them, or a pattern")
        bases.append(plain(base))
        paths |= {plain(path): None for path in found}
    holding = Path(os.path.commonpath(bases))
    below = [Path(os.path.relpath(path, holding)).as_posix() for path in paths]
    return Photos(holding, tuple(Photo(path, id) for path, id in zip(paths, make_ids(below))))


def make_ids(below: Sequence[str]) -> list[str]:
    """ "a/b.jpg" -> "a/b"; where two would be alike in any case (b.jpg and B.png) they keep their endings."""
    short = [str(PurePosixPath(name).with_suffix("")) for name in below]
    count = Counter(map(str.casefold, [*short, *below]))
    return [id if count[id.casefold()] == 1 else name for id, name in zip(short, below)]


def results_of(folder: Path) -> dict[str, Any] | None:
    """What results of photos in the folder were made with; None if there are none of ours.  Raises as `read_text`."""
    try:
        content = json.loads(read_text(folder / RESULTS)) if (folder / RESULTS).is_file() else None
    except ValueError:
        return None
    return content if isinstance(content, dict) and content.keys() >= {"model", "weights", "photos"} else None


def _named(name: str, leave_out: Collection[Path]) -> tuple[Path, list[Path]]:
    """What one name stands for: the folder that it begins from, and the files."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path, list(files_below(path, ENDINGS, [*leave_out, *_results_below(path)]))
    if path.exists() or not glob.has_magic(name):
        return path.parent, [path] if path.exists() else []
    base = _fixed(path)
    matched = [one for one in sorted(base.glob(str(path.relative_to(base)))) if not one.name.startswith(".")]
    apart = [*leave_out, *_results_below(base)]
    files = [one for one in matched if one.suffix.lower() in ENDINGS and not any(map(one.is_relative_to, apart))]
    folders = [one for one in matched if one.is_dir() and "**" not in name]
    return base, [
        *(one for one in files if one.is_file()),
        *(inner for one in folders for inner in files_below(one, ENDINGS, apart)),
    ]


def _results_below(folder: Path) -> list[Path]:
    return [path.parent for path in folder.rglob(RESULTS) if results_of(path.parent) is not None]


def _fixed(pattern: Path) -> Path:
    """The part of a pattern before its first sign."""
    parts = pattern.parts
    return Path(*parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))])


def _lack(name: str) -> str:
    if Path(name).expanduser().is_dir():
        return f"the folder holds no image ({' '.join(sorted(ENDINGS))})"
    return "no image matches" if glob.has_magic(name) else "there is no such file or folder"
