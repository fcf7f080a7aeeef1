"""Boxes from YOLO labels: one .txt per image, one object per line, numbers as shares of width and height.

class x_centre y_centre width height            or an outline: class x y x y x y ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_folder.catalogue import files_below
from wsss_folder.documents import read_text, read_yaml
from wsss_folder.record import Record, Source, Thing, around

LOOKED_AT = 1000  # characters
NAMES = ("classes.txt", "obj.names", "names.txt", "data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
LABEL = re.compile(r"\s*(\d+(\s+[-+.\deE]+){4,}\s|$)")  # what a label begins with
OTHERS = re.compile(r"(train|val|valid|test|labels|notes|readme.*)\.txt", re.IGNORECASE)  # unless they hold labels


def read_yolo(folder: Path, names: Path | None, near: Iterable[Path] = ()) -> Source:
    """One record per .txt below `folder`; an empty file says that there is nothing in the image.

    names  file of the class names; looked for in `folder`, above it and in the folders `near` if None
    Raises WsssError if there is no label or no file of names.
    """
    if not folder.is_dir():
        raise WsssError(f"there is no folder {folder}", "give the folder of the .txt labels with --yolo")
    labels = list(label_files(folder))
    if not labels:
        raise WsssError(f"{folder} holds no .txt label", "give the folder of the .txt labels with --yolo")
    file = names or find_names(folder, near)
    classes = read_names(file)
    records = [_record(path, folder, classes) for path in labels]
    return Source("YOLO labels", folder, records, tuple(classes.values()), (f"class names from {file}",))


def label_files(folder: Path) -> Iterator[Path]:
    """Every .txt below the folder but class names and lists."""
    for path in files_below(folder, (".txt",)):
        if path.name not in NAMES and (not OTHERS.fullmatch(path.name) or begins_as_label(path)):
            yield path


def begins_as_label(path: Path) -> bool:
    """Whether the file is empty or its first line is a class and numbers."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return LABEL.match(file.read(LOOKED_AT) + "\n") is not None


def label_names(path: Path, folder: Path) -> tuple[str, ...]:
    """What the image of a label can be called: labels/a.txt goes with images/a.jpg, labels/train/a with train/a."""
    parts = path.relative_to(folder).with_suffix("").parts
    return ("/".join("images" if p == "labels" else p for p in parts), "/".join(p for p in parts if p != "labels"))


def find_names(folder: Path, near: Iterable[Path] = ()) -> Path:
    """The file of class names in or near `folder`.  Raises WsssError if there is none."""
    for place in (folder, folder.parent, folder.parent.parent, *near):
        for name in NAMES:
            if (place / name).is_file():
                return place / name
    raise WsssError(
        f"the class names of the YOLO labels in {folder} are missing", "give classes.txt or data.yaml with --names"
    )


def read_names(path: Path) -> dict[int, str]:
    """Class names by number: one per line, or `names` of a YAML as list or mapping.  Raises WsssError."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        lines = [line.strip() for line in read_text(path).rstrip().splitlines()]
        return _require(path, dict(enumerate(lines)))
    content = read_yaml(path)
    names: Any = content.get("names") if isinstance(content, dict) else content
    if isinstance(names, list):
        return _require(path, {n: str(name).strip() for n, name in enumerate(names)})
    if isinstance(names, dict) and all(str(n).isdigit() for n in names):
        return _require(path, {int(n): str(names[n]).strip() for n in sorted(names, key=int)})
    raise WsssError(f"{path} has no list or mapping 'names'", "write names: [cat, dog], or names: {0: cat, 1: dog}")


def _require(path: Path, names: dict[int, str]) -> dict[int, str]:
    seen: set[str] = set()
    for number, name in names.items():
        if not name or name in seen:
            what = f"the name of class {number} is empty" if not name else f"the class '{name}' is there twice"
            raise WsssError(f"{path}: {what}", "give each class its own name, in the order of the numbers")
        seen.add(name)
    if not names:
        raise WsssError(f"{path} holds no class name", "write one name per line, in the order of the numbers")
    return names


def _record(path: Path, folder: Path, classes: dict[int, str]) -> Record:
    names = label_names(path, folder)
    try:
        lines = enumerate(read_text(path).splitlines(), start=1)
        things = tuple(_thing(line.split(), f"{path}, line {n}", classes) for n, line in lines if line.strip())
    except WsssError as error:
        return Record(names, str(path), problem=error)
    return Record(names, str(path), things=things)


def _thing(words: list[str], where: str, classes: dict[int, str]) -> Thing:
    numbers = _numbers(words, where)
    if not numbers[0].is_integer() or int(numbers[0]) not in classes:
        raise WsssError(f"{where}: class {words[0]} is not in 0..{max(classes)}", "correct the line, or the names")
    outside = next((w for w, v in zip(words[1:], numbers[1:], strict=True) if not 0 <= v <= 1), None)
    if outside is not None:
        raise WsssError(
            f"{where}: {outside} is not in 0..1", "YOLO's numbers are shares of width and height, not pixels"
        )
    name, values = classes[int(numbers[0])], tuple(numbers[1:])
    if len(values) == 4:
        x, y, width, height = values
        return Thing(name, (x - width / 2, y - height / 2, x + width / 2, y + height / 2), relative=True)
    return Thing(name, around(values[::2], values[1::2]), relative=True, polygons=(values,))


def _numbers(words: list[str], where: str) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise WsssError(f"{where}: '{' '.join(words)[:60]}' are not all numbers", "correct the line") from error
    if len(numbers) != 5 and (len(numbers) < 7 or len(numbers) % 2 == 0):
        raise WsssError(
            f"{where}: {len(numbers)} numbers, but a box has 5 and an outline 7, 9, 11, ...",
            "a box is: class x_centre y_centre width height",
        )
    return numbers
