"""The splits of a YOLO data set: train, val and test in its data.yaml, each a folder, a list of images, or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_cli.names import CONTROL, shown
from wsss_folder.documents import read_text, read_yaml

KEYS = ("train", "val", "test")


def splits_in(table: Path) -> Callable[[Path], str]:
    """A function from a label file to its split, "" if data.yaml gives none.  Raises WsssError."""
    content = read_yaml(table)
    folders: dict[Path, str] = {}
    images: dict[Path, str] = {}
    for key in KEYS if isinstance(content, dict) else ():
        for place in _places(content, key, table):
            if place.is_dir():
                folders.setdefault(place.resolve(), key)
            elif place.suffix == ".txt" and place.is_file():
                images |= {image: key for image in _listed(place) if image not in images}

    def split_of(label: Path) -> str:
        image = _image(label.resolve()).with_suffix("")
        found = (folders[folder] for folder in image.parents if folder in folders)
        return images.get(image) or next(found, "")

    return split_of


def _places(content: dict[str, Any], key: str, table: Path) -> Iterator[Path]:
    """The folders and lists of a split: below `path`, which is below the file's folder, or below that folder."""
    given = content.get(key) or []
    base = table.parent / str(content.get("path") or "")
    for text in given if isinstance(given, list) else [given]:
        words = str(text)
        tries = [base / words, table.parent / words, table.parent / words.removeprefix("../")]
        yield from [place for place in tries if place.exists()][:1]


def _listed(path: Path) -> Iterator[Path]:
    """The images of a list, without their endings."""
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if CONTROL.search(line.strip()):
            raise WsssError(f"{path}, line {number}: {shown(line.strip())} holds a control character", "correct it")
        if line.strip():
            yield (path.parent / line.strip()).resolve().with_suffix("")


def _image(label: Path) -> Path:
    """Where the image of a label is: in images/ instead of the last labels/ of its path, else beside it."""
    parts = list(label.parts)
    if "labels" in parts:
        parts[len(parts) - 1 - parts[::-1].index("labels")] = "images"
    return Path(*parts)
