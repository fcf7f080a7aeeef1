"""Columns of a table that hold boxes, by the names that programs give them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wsss_folder.cells import BARE_NAN, is_no_value
from wsss_folder.record import Corners
from wsss_folder.table import Table, plain

Kind = Literal["corners", "sides", "centre", "cell"]
FORMS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("corners", ("xmin", "ymin", "xmax", "ymax")),
    ("corners", ("x0", "y0", "x1", "y1")),
    ("corners", ("x1", "y1", "x2", "y2")),
    ("corners", ("minx", "miny", "maxx", "maxy")),
    ("corners", ("xstart", "ystart", "xend", "yend")),
    ("corners", ("startx", "starty", "endx", "endy")),
    ("corners", ("left", "top", "right", "bottom")),
    *(("sides", (*start, *sides)) for start in (("x", "y"), ("left", "top"), ("xmin", "ymin"))
      for sides in (("width", "height"), ("w", "h"))),
    *(("centre", (*centre, *sides)) for centre in (("xcenter", "ycenter"), ("xcentre", "ycentre"), ("cx", "cy"))
      for sides in (("width", "height"), ("w", "h"))),
)  # fmt: skip
CELLS = ("bbox", "bboxes", "boundingbox", "box", "boxes", "annotations")
SHARES = 1.01  # boxes of no number above it are shares of the image's sides


@dataclass(frozen=True)
class BoxColumns:
    """columns in the order of their kind; of a cell, the one."""

    kind: Kind
    columns: tuple[str, ...]

    def read(self, cells: Mapping[str, str]) -> list[Corners]:
        """The boxes of a row, none if it has none.  Raises ValueError."""
        texts = [cells[column] for column in self.columns]
        if self.kind == "cell":
            return [] if _is_none(texts[0]) else _in_cell(texts[0])
        if all(map(_is_none, texts)):
            return []
        return [_corners(self.kind, [_number(text) for text in texts])]

    def __str__(self) -> str:
        order = {"corners": "two corners", "sides": "x, y, width, height", "centre": "centre, width, height"}
        shown = "', '".join(self.columns)
        return f"boxes are in '{shown}' ({order.get(self.kind, 'x, y, width, height where they are four numbers')})"


def find_boxes(table: Table) -> BoxColumns | None:
    """The columns of boxes of a table; None if it has none, or they hold something else."""
    spelt = {_spelt(column): column for column in reversed(table.columns)}
    forms = [(kind, tuple(spelt[name] for name in names)) for kind, names in FORMS if spelt.keys() >= {*names}]
    plainly = {plain(column): column for column in reversed(table.columns)}
    forms += [("cell", (plainly[name],)) for name in CELLS if name in plainly]
    return next((found for kind, columns in forms if _holds_boxes(found := BoxColumns(kind, columns), table)), None)


def is_shares(boxes: Sequence[Corners]) -> bool:
    """Whether boxes are in shares of the sides, not in pixels."""
    return bool(boxes) and max(max(map(abs, box)) for box in boxes) <= SHARES


def _holds_boxes(found: BoxColumns, table: Table) -> bool:
    """Whether the first row that has any reads as boxes, and not all are the 0 and 1 of classes."""
    for _, cells in table.rows:
        try:
            boxes = found.read(cells)
        except ValueError:
            return False
        if boxes and any(value not in (0, 1) for box in boxes for value in box):
            return True
    return False


def _spelt(column: str) -> str:
    """bbox_x1, box_x1 and x1 alike."""
    return re.sub(r"^(bbox|bndbox|box)(?=.)", "", plain(column).replace("coordinate", ""))


def _is_none(text: str) -> bool:
    return not text or is_no_value(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is no number")
    return value


def _corners(kind: Kind, values: Sequence[float]) -> Corners:
    a, b, c, d = values
    if kind == "corners":
        return a, b, c, d
    return (a, b, a + c, b + d) if kind == "sides" else (a - c / 2, b - d / 2, a + c / 2, b + d / 2)


def _in_cell(text: str) -> list[Corners]:
    """Four numbers, x, y, width, height as COCO has them; a list of such; or mappings that name them."""
    if re.fullmatch(r"[-+\d.eE\s,;]+", text):
        return [_corners("sides", [_number(word) for word in re.split(r"[\s,;]+", text.strip())])]
    try:
        return _boxes(ast.literal_eval(BARE_NAN.sub("None", text)))
    except (SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise ValueError(f"'{text[:60]}' is no list of boxes") from error


def _boxes(value: Any) -> list[Corners]:
    if isinstance(value, dict):
        keys = {plain(str(key)): key for key in value}
        for kind, names in FORMS:
            if keys.keys() >= {*names}:
                return [_corners(kind, [_number(str(value[keys[name]])) for name in names])]
    if isinstance(value, list | tuple) and len(value) == 4 and all(isinstance(v, int | float) for v in value):
        return [_corners("sides", [_number(str(v)) for v in value])]
    if isinstance(value, list | tuple) and all(isinstance(v, list | tuple | dict) for v in value):
        return [box for one in value for box in _boxes(one)]
    raise ValueError(f"{value!r} is no box")
