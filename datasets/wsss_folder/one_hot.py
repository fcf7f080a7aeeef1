"""Tags from a number for each class: of a CSV with a column per class, or with one column of 0 and 1.

1 is a tag, 0 or nothing is none; numbers between are confidences; -1 is not known, unless the table has no 0: then it
is the opposite of 1, as in CelebA.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wsss_cli.checks.finding import some
from wsss_cli.errors import WsssError
from wsss_folder.cells import NO_VALUE, is_present
from wsss_folder.record import Record, Source
from wsss_folder.table import Table, is_split, plain

YES, NO = ("1", "1.0", "true", "yes", "y", "t", "x"), ("", "0", "0.0", "false", "no", "n", "f", *NO_VALUE)
UNSURE = -1.0
INDEX = ("index", "id", "idx")  # columns that number the rows, besides pandas' without a name or "Unnamed: 0"
UNCERTAIN = "uncertain only"  # why an image has no label


def class_columns(table: Table, key: str) -> tuple[str, ...]:
    """The columns that can be classes: not the image's, nor those of splits and of numbers of rows."""
    return tuple(
        c
        for c in table.columns
        if c and c != key and not is_split(c) and not c.startswith("Unnamed:") and plain(c) not in INDEX
    )


def is_binary(table: Table, column: str) -> bool:
    """Whether a column holds 0 and 1 or the like, both of them."""
    cells = {cells[column].lower() for _, cells in table.rows} - {""}
    return cells <= {*YES, *NO} and any(c in NO for c in cells - {*NO_VALUE}) and bool(cells & {*YES})


def holds_numbers(table: Table, column: str) -> bool:
    """Whether every cell says that the class is there, not there, or how sure that is."""
    return all(_number(cells[column]) is not None for _, cells in table.rows)


def read_binary(table: Table, key: str, column: str, name: str) -> Source:
    """A column of 0 and 1, which says of one class whether it is there."""
    records = [
        Record((image,), where, (name,) if cells[column].lower() in YES else ())
        for image, where, cells in table.images(key)
    ]
    note = (
        f"{table.path.name}: column '{column}' holds 0/1: 1 is a tag '{name}', 0 is none (for two classes write names)"
    )
    return Source(f"tags {table.kind}", table.path, records, (name,), (note,))


def read_one_hot(table: Table, key: str, least: float = 0.0, asked: Sequence[str] = ()) -> Source:
    """The tags of each image, of a confidence of `least` or more; one of which classes are not known at most has none.

    asked  the classes, if they are given: columns of other things are passed over
    Raises WsssError: no column, a cell that is no number from 0 to 1 and not -1, confidences without `least`.
    """
    columns = class_columns(table, key)
    others = [c for c in columns if asked and c not in asked and not holds_numbers(table, c)]
    columns = tuple(c for c in columns if c not in others)
    if not columns:
        raise WsssError(
            f"{table.path} has no column for the tags; its columns: {', '.join(table.columns)}",
            "call it 'tags', name it with --tags-column, or give a 0/1 column per class",
        )
    rows = [
        (name, where, {c: _require_number(cells[c], c, where) for c in columns})
        for name, where, cells in table.images(key)
    ]
    source = from_vectors(f"one-hot {table.kind}", table.path, rows, columns, least)
    unused = (f"{table.path.name}: columns not used: {some(others)}",) if others else ()
    return replace(source, notes=(*unused, *source.notes))


def from_vectors(
    kind: str, path: Path, rows: Sequence[tuple[str, str, dict[str, float]]], classes: tuple[str, ...], least: float
) -> Source:
    """The tags of rows of (image, where, number of each class).  Raises WsssError: confidences without `least`."""
    held = {value for _, _, row in rows for value in row.values()}
    between = held - {0.0, 1.0, UNSURE}
    if between and not least:
        raise WsssError(
            f"{path} holds confidences (such as {min(between):g}), not 0 and 1",
            "say from which on a class counts as there: --min-confidence 0.5",
        )
    opposite = UNSURE in held and 0.0 not in held
    records = [_record(name, where, row, least, not opposite) for name, where, row in rows]
    unsure = 0 if opposite else sum(value == UNSURE for _, _, row in rows for value in row.values())
    return Source(kind, path, records, classes, tuple(_notes(path.name, least, opposite, unsure)))


def _record(name: str, where: str, row: dict[str, float], least: float, unsure_counts: bool) -> Record:
    tags = tuple(c for c, value in row.items() if is_present(value, least))
    unknown = unsure_counts and not tags and UNSURE in row.values()
    return Record((name,), where, tags, unlabelled=UNCERTAIN if unknown else "")


def _notes(name: str, least: float, opposite: bool, unsure: int) -> Iterable[str]:
    if opposite:
        yield f"{name}: it holds 1 and -1, never 0: -1 says that a class is not there"
    if unsure:
        yield f"{name}: {unsure} time(s) -1, which is taken as not known: no tag"
    if least:
        yield f"{name}: a class counts as there from a confidence of {least:g} on"


def _number(cell: str) -> float | None:
    """0 to 1, or -1; None for anything else."""
    word = cell.lower()
    if word in YES or word in NO:
        return float(word in YES)
    if not re.fullmatch(r"-?\d*[.,]?\d+(e-?\d+)?", word):
        return None
    value = float(word.replace(",", "."))
    return value if is_share(value) else None


def is_share(value: float) -> bool:
    """Whether a number says that a class is there, is not, or how sure that is."""
    return 0 <= value <= 1 or value == UNSURE


def _require_number(cell: str, column: str, where: str) -> float:
    value = _number(cell)
    if value is None:
        raise WsssError(
            f"{where}: column '{column}' holds '{cell}', neither 0 nor 1",
            "a CSV without a column 'tags' has a 0/1 column per class: name the column of tags with --tags-column, or "
            "those of classes with --classes",
        )
    return value
