"""A table: a CSV with a header, or JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.data.image_files import ENDINGS
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_folder.documents import read_text
from wsss_folder.json_rows import LINES, read_rows

IMAGE = (
    "image", "image_path", "image_name", "image_file", "img", "img_path", "img_name", "file_name", "fname", "file",
    "file_path", "path", "image_id", "image_index", "name", "patient_id", "id",
)  # fmt: skip
CONFIDENCE = ("confidence", "score", "probability")
JSON = (".json", *LINES)
"""Endings of tables that are no CSV."""
RETINANET = ("image", "x1", "y1", "x2", "y2", "class")
SPLIT = ("split", "set", "subset", "partition")


def plain(column: str) -> str:
    """A column's name without case, spaces and signs: "Image ID" is image_id."""
    return re.sub(r"[\W_]", "", column.casefold())


def is_split(column: str) -> bool:
    """Whether a column is one of splits, by its name."""
    return plain(column) in SPLIT


@dataclass(frozen=True)
class Table:
    """columns as in the header; rows (line number, cells by column);  unit  what the numbers count."""

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]
    unit: str = "line"

    @property
    def kind(self) -> str:
        """CSV or JSON."""
        return "JSON" if self.path.suffix.lower() in JSON else "CSV"

    def column(self, known: tuple[str, ...], asked: str = "auto") -> str | None:
        """The column of a `known` name in any spelling, or the one asked for.  Raises WsssError if that is missing."""
        if asked != "auto":
            if asked not in self.columns:
                raise WsssError(
                    f"{self.path} has no column '{asked}'{nearest(asked, self.columns)}",
                    f"its columns: {', '.join(self.columns)}",
                )
            return asked
        spelt = {plain(column): column for column in reversed(self.columns)}
        return next((spelt[plain(name)] for name in known if plain(name) in spelt), None)

    def image_column(self, asked: str = "auto") -> str:
        """The column that names the image.  Raises WsssError if none is known."""
        column = self.column(IMAGE, asked)
        if column is None:
            raise WsssError(
                f"{self.path} has no column for the image; its columns: {', '.join(self.columns)}",
                "call it 'image', or name it with --image-column",
            )
        return column

    def images(self, column: str) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(image, "FILE, line N", cells) of each row.  Raises WsssError for a row without an image."""
        for line, cells in self.rows:
            where = f"{self.path}, {self.unit} {line}"
            if not cells[column]:
                raise WsssError(
                    f"{where}: the column '{column}' is empty", f"name the image, or remove the {self.unit}"
                )
            yield cells[column], where, cells


def read_table(path: Path) -> Table:
    """A CSV, or by its ending JSON, whose keys are the columns.  Raises WsssError, as `read_rows` and `_read_csv`."""
    if path.suffix.lower() not in JSON:
        return _read_csv(path)
    rows = read_rows(path)
    columns = tuple(dict.fromkeys(key for _, cells in rows for key in cells))
    whole = [(number, {column: cells.get(column, "") for column in columns}) for number, cells in rows]
    return Table(path, columns, whole, "line" if path.suffix.lower() in LINES else "entry")


def _read_csv(path: Path) -> Table:
    """A CSV separated by commas, semicolons, tabs or bars, whichever the header holds most of.

    Raises WsssError: empty, no header, a row with more or fewer cells than the header.
    """
    text = read_text(path)
    head, _, rest = text.partition("\n")
    said = re.fullmatch(r'"?sep=(.)"?[,;\t]*', head.strip("\r "))  # a first line that tells Excel the separator
    if said:
        text = f"\n{rest}"  # the line stays, so that messages count as editors do
    delimiter = said[1] if said else max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise WsssError(f"{path}, line {reader.line_num} is no CSV: {error}", "correct the line") from error
    if not lines:
        raise WsssError(f"{path} is empty", "the first line names the columns: image,tags")
    if _is_retinanet(lines[0][1]):
        lines.insert(0, (0, list(RETINANET)))
    columns = tuple(lines[0][1])
    _require_header(path, columns)
    for line, cells in lines[1:]:
        if len(cells) != len(columns):
            raise WsssError(
                f"{path}, line {line}: {len(cells)} cells, but the header has {len(columns)}",
                'put quotes around cells that hold the separator: "cat,dog"',
            )
    return Table(path, columns, [(line, dict(zip(columns, cells, strict=True))) for line, cells in lines[1:]])


def _is_retinanet(cells: list[str]) -> bool:
    """Whether a first line is that of RetinaNet's format, which has no header: an image, a box and a class, or none."""
    image, box = cells[:1], cells[1:-1]
    numbers = all(re.fullmatch(r"-?\d+(\.\d*)?", cell) for cell in box) and bool(cells[-1])
    return len(cells) == len(RETINANET) and Path(*image).suffix.lower() in ENDINGS and (numbers or not any(cells[1:]))


def _require_header(path: Path, columns: tuple[str, ...]) -> None:
    image = next((c for c in columns if Path(c).suffix.lower() in ENDINGS), None)
    if image is not None:
        raise WsssError(f"{path} has no header: its first line names the image '{image}'", "begin it with: image,tags")
    twice = next((c for c in columns if c and columns.count(c) > 1), None)
    if twice is not None:
        raise WsssError(f"{path}, line 1: the column '{twice}' is there twice", "give each column its own name")
