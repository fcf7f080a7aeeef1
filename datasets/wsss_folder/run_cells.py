"""Cells of run lengths as competitions have them: "start length start length ...", pixels counted from 1."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wsss_folder.cells import is_no_value
from wsss_folder.run_lengths import Runs, runs_of
from wsss_folder.table import Table

Order = Literal["auto", "columns", "rows"]
KNOWN = ("encoded_pixels", "rle_mask", "rle", "encoding", "mask_rle", "pixels")  # down the columns, unless it is said
OTHERS = ("annotation", "segmentation", "mask")  # of both kinds
NOTHING = ("", "-1")


def find_runs(table: Table) -> str | None:
    """The column of run lengths of a table; None if it has none."""
    columns = [column for name in (*KNOWN, *OTHERS) if (column := table.column((name,))) is not None]
    return next((column for column in columns if _holds_runs(table, column)), None)


def is_known(table: Table, column: str) -> bool:
    """Whether the column's name tells that pixels are counted down the columns."""
    return column in (table.column((name,)) for name in KNOWN)


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no object."""
    return text in NOTHING or is_no_value(text)


def read_cell(text: str, width: int, height: int, order: Order) -> Runs:
    """The pixels of an object.  Raises ValueError if the runs are not those of an image of width x height."""
    numbers = [int(word) for word in text.split()]
    starts, lengths = np.array(numbers[::2], np.int64) - 1, np.array(numbers[1::2], np.int64)
    if len(starts) != len(lengths) or (lengths < 1).any() or starts[0] < 0:
        raise ValueError("they are no pairs of a start, from 1 on, and a length")
    stops = starts + lengths
    if (starts[1:] < stops[:-1]).any():
        raise ValueError(
            "a run starts before the last one ends: each may count from the last (SIIM), which is not read"
        )
    if stops[-1] > width * height:
        raise ValueError(f"they go to pixel {stops[-1]}, but the image is {width} x {height}")
    changes = np.zeros(width * height + 1, np.int8)
    np.add.at(changes, starts, 1)
    np.add.at(changes, stops, -1)
    inside = np.cumsum(changes[:-1]) > 0  # (W * H,)
    return runs_of(inside.reshape(height, width) if order == "rows" else inside.reshape(width, height).T)


def _holds_runs(table: Table, column: str) -> bool:
    """Whether every cell has pairs of numbers or nothing, and one has."""
    cells = [text for _, cells in table.rows if not is_nothing(text := cells[column])]
    return bool(cells) and all(_is_pairs(text) for text in cells)


def _is_pairs(text: str) -> bool:
    words = text.split()
    return len(words) % 2 == 0 and all(word.isdecimal() for word in words)
