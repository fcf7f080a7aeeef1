"""Tags from a CSV: a column of tags, or a 0/1 column per class.

image,tags                image,cat,dog
a.jpg,cat;dog             a.jpg,1,1
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_folder.cells import is_list, is_present, read_list
from wsss_folder.record import Record, Source
from wsss_folder.table import SPLIT, Table, read_table

TAGS = ("tags", "tag", "labels", "label", "classes", "class", "categories", "category", "target", "targets",
        "labelname", "label_name", "classname", "class_name", "category_name")  # fmt: skip
CONFIDENCE = ("confidence", "score", "probability")
YES, NO = ("1", "1.0", "true", "yes", "x"), ("", "0", "0.0", "false", "no", "nan", "none", "null")
NO_VALUE = ("nan", "none", "null", "<na>")  # what programs write into a cell without a value
WORDS = {"space": " ", "none": "", "tab": "\t", "comma": ","}


def read_tags(
    path: Path,
    image: str = "auto",
    tags: str = "auto",
    separator: str = "auto",
    least: float = 0.0,
    only: str = "",
) -> Source:
    """The tags of each image; rows of one image are added up, and a row without a tag says that there is none.

    image, tags  names of the columns;  separator  of the tags within a cell, "none" if a cell is one tag
    least  the confidence, of a column of that name, from which a tag counts;  only  name of the one class there is
    Raises WsssError: no header, no such column, a cell of a one-hot column that is neither 0 nor 1.
    """
    table = read_table(path)
    key = table.image_column(image)
    column = table.column(TAGS, tags)
    if column is None:
        return _one_hot(table, key)
    if _is_binary(table, column):
        return _binary(table, key, column, only or column)
    confidence = table.column(CONFIDENCE)
    plain = [cells[column] for _, cells in table.rows if not is_list(cells[column])]
    split, how = _separator(plain, separator, path)
    records = [
        Record((name,), where, tuple(dict.fromkeys(_tags(cells[column], split, least, where))))
        if _confident(cells, confidence, least, where)
        else Record((name,), where)
        for name, where, cells in table.images(key)
    ]
    unused = [c for c in table.columns if c not in (key, column, confidence) and c.lower() not in SPLIT]
    note = f"; columns not used: {', '.join(unused)}" if unused else ""
    return Source("tags CSV", path, records, notes=(f"{path.name}: tags are in column '{column}', {how}{note}",))


def _one_hot(table: Table, key: str) -> Source:
    classes = tuple(
        c for c in table.columns if c and c != key and c.lower() not in SPLIT and not c.startswith("Unnamed:")
    )
    if not classes:
        raise WsssError(
            f"{table.path} has no column for the tags; its columns: {', '.join(table.columns)}",
            "call it 'tags', name it with --tags-column, or give a 0/1 column per class",
        )
    records = [
        Record((name,), where, tuple(c for c in classes if _yes(cells[c], c, where)))
        for name, where, cells in table.images(key)
    ]
    return Source("one-hot CSV", table.path, records, classes)


def _binary(table: Table, key: str, column: str, name: str) -> Source:
    """A column of 0 and 1, which says of one class whether it is there."""
    records = [
        Record((image,), where, (name,) if _yes(cells[column], column, where) else ())
        for image, where, cells in table.images(key)
    ]
    note = (
        f"{table.path.name}: column '{column}' holds 0/1: 1 is a tag '{name}', 0 is none (for two classes write names)"
    )
    return Source("tags CSV", table.path, records, (name,), (note,))


def _is_binary(table: Table, column: str) -> bool:
    cells = {cells[column].lower() for _, cells in table.rows} - {""}
    return cells <= {*YES, *NO} and any(c in NO for c in cells - {*NO_VALUE}) and bool(cells & {*YES})


def _confident(cells: dict[str, str], column: str | None, least: float, where: str) -> bool:
    """Whether the row is no tag of low confidence.  Raises WsssError for a confidence that is no number."""
    if column is None or not cells[column]:
        return True
    try:
        return is_present(float(cells[column]), least)
    except ValueError as error:
        raise WsssError(f"{where}: the {column} '{cells[column]}' is no number", "give 0 to 1, or nothing") from error


def _tags(cell: str, split: str, least: float, where: str) -> Iterable[str]:
    if not is_list(cell):
        return _split(cell, split)
    try:
        return read_list(cell, least)
    except (ValueError, TypeError) as error:
        raise WsssError(f"{where}: the list {cell} cannot be read: {error}", "write the tags as cat;dog") from error


def _yes(cell: str, column: str, where: str) -> bool:
    if cell.lower() not in (*YES, *NO):
        raise WsssError(
            f"{where}: column '{column}' holds '{cell}', neither 0 nor 1",
            "a CSV without a column 'tags' has a 0/1 column per class; name the column of tags with --tags-column",
        )
    return cell.lower() in YES


def _separator(cells: list[str], asked: str, path: Path) -> tuple[str, str]:
    """What to split by ("" for not at all), and how to say it.  Raises WsssError where it cannot be told."""
    if asked != "auto":
        split = WORDS.get(asked, asked)
        return split, f"separated by '{split}'" if split else "one in each cell"
    found = [sign for sign in ";|,\t" if any(sign in cell for cell in cells)]
    if len(found) > 1:
        shown = "' and '".join(found)
        raise WsssError(f"the tags in {path} hold '{shown}': which of them separates?", "say it: --separator ';'")
    if found:
        return found[0], f"separated by '{found[0]}'"
    several = [cell.split() for cell in cells if len(cell.split()) > 1]
    alone = {cell for cell in cells if len(cell.split()) == 1}
    if several and all(word in alone for words in several for word in words):
        return " ", "separated by spaces, since every word also stands alone (--separator none if it does not)"
    if several:
        return "", f"one in each cell, as '{' '.join(several[0])}' (--separator space if these are several)"
    return "", "one in each cell"


def _split(cell: str, split: str) -> Iterable[str]:
    parts = re.split(r"\s+", cell) if split == " " else cell.split(split) if split else [cell]
    return (part.strip() for part in parts if part.strip() and part.strip().casefold() not in NO_VALUE)
