"""Boxes from YOLO labels: one .txt per image, one object per line, numbers as shares of width and height.

class x_centre y_centre width height [confidence]       or an outline: class x y x y x y ...
class x_centre y_centre width height x y [v] x y [v]...  with the key points that data.yaml's kpt_shape tells of
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.data.image_files import files_below
from wsss_cli.errors import WsssError
from wsss_cli.sound import require_file
from wsss_folder.documents import read_head, read_text
from wsss_folder.record import Record, Source, Thing, around
from wsss_folder.yolo_names import NAMES, find_names, find_yaml, is_yaml, read_key_points, read_names, read_task
from wsss_folder.yolo_oriented import without_oriented
from wsss_folder.yolo_splits import splits_in

LOOKED_AT = 1000  # bytes
BEYOND = 0.01  # of a side: how far rounding and hasty hands go over the border
LABEL = re.compile(r"\s*(\d+(\.\d*)?([eE][-+]?\d+)?(\s+[-+.\deE]+){4,}\s|$)")  # what a label begins with
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
    table = file if is_yaml(file) else find_yaml(folder, near)
    rows = _Rows(classes, read_key_points(table) if table else 0)
    split_of = splits_in(table) if table else None
    records = [_record(path, folder, rows, split_of(path) if split_of else "") for path in labels]
    records, oriented = without_oriented(records, read_task(table) if table else "")
    notes = (f"class names from {file}", *rows.notes(records), *filter(None, [oriented]))
    return Source("YOLO labels", folder, records, tuple(classes.values()), notes)


def label_files(folder: Path) -> Iterator[Path]:
    """Every .txt below the folder but class names and lists."""
    for path in files_below(folder, (".txt",)):
        if path.name not in NAMES and (not OTHERS.fullmatch(path.name) or begins_as_label(path)):
            yield path


def begins_as_label(path: Path) -> bool:
    """Whether the file is empty or its first line is a class and numbers."""
    require_file(path)
    return LABEL.match(read_head(path, LOOKED_AT) + "\n") is not None


def label_names(path: Path, folder: Path) -> tuple[str, ...]:
    """What the image of a label can be called: labels/a.txt goes with images/a.jpg, labels/train/a with train/a."""
    parts = path.relative_to(folder).with_suffix("").parts
    return ("/".join("images" if p == "labels" else p for p in parts), "/".join(p for p in parts if p != "labels"))


def _record(path: Path, folder: Path, rows: _Rows, split: str) -> Record:
    names = label_names(path, folder)
    try:
        lines = enumerate(read_text(path).splitlines(), start=1)
        things = tuple(rows.thing(line.split(), f"{path}, line {n}") for n, line in lines if line.strip())
    except WsssError as error:
        return Record(names, str(path), problem=error)
    return Record(names, str(path), things=things, split=split)


@dataclass
class _Rows:
    """Reads the rows of labels; key_points numbers follow each box, sure counts boxes with a confidence."""

    classes: dict[int, str]
    key_points: int
    sure: int = 0

    def thing(self, words: list[str], where: str) -> Thing:
        """The object of a row.  Raises WsssError."""
        numbers = self._numbers(words, where)
        if not numbers[0].is_integer() or int(numbers[0]) not in self.classes:
            raise WsssError(
                f"{where}: class {words[0]} is not in 0..{max(self.classes)}", "correct the line, or the names"
            )
        name, values = self.classes[int(numbers[0])], numbers[1:]
        if self.key_points:
            values = values[:4]
        elif len(values) == 5:
            self.sure += 1
        inside = [_share(value, word, where) for value, word in zip(values, words[1:])]
        if len(inside) < 6:
            x, y, width, height = inside[:4]
            return Thing(name, (x - width / 2, y - height / 2, x + width / 2, y + height / 2), relative=True)
        return Thing(name, around(tuple(inside[::2]), tuple(inside[1::2])), relative=True, polygons=(tuple(inside),))

    def notes(self, records: list[Record]) -> Iterator[str]:
        if self.key_points and any(record.things for record in records):
            yield "of rows with key points the box is taken"
        if self.sure:
            yield f"{self.sure} boxes have a confidence, which is not looked at: are they predictions?"

    def _numbers(self, words: list[str], where: str) -> list[float]:
        try:
            numbers = [float(word) for word in words]
        except ValueError as error:
            raise WsssError(f"{where}: '{' '.join(words)[:60]}' are not all numbers", "correct the line") from error
        count = len(numbers)
        if self.key_points and count not in (5, 5 + self.key_points):
            what = (
                f"{where}: {count} numbers, but a box has 5, and {self.key_points} more by kpt_shape of its key points"
            )
            raise WsssError(what, "correct the line, or kpt_shape in data.yaml")
        if not self.key_points and count not in (5, 6) and (count < 7 or count % 2 == 0):
            raise WsssError(
                f"{where}: {count} numbers, but a box has 5 and an outline 7, 9, 11, ...",
                "a box is: class x_centre y_centre width height; of key points data.yaml tells: kpt_shape: [17, 3]",
            )
        return numbers


def _share(value: float, word: str, where: str) -> float:
    """A share of the image's side, of which rounding may have made a little more or less.  Raises WsssError."""
    if not -BEYOND <= value <= 1 + BEYOND:
        raise WsssError(
            f"{where}: {word} is not in 0..1",
            "YOLO's numbers are shares of width and height, not pixels; of key points data.yaml tells with kpt_shape",
        )
    return min(max(value, 0.0), 1.0)
