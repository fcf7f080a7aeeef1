"""Tags from a table, CSV or JSON: a column of tags, or a 0/1 column per class.

image,tags                image,cat,dog
a.jpg,cat;dog             a.jpg,1,1
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from wsss_cli.data.coco_entries import plain_id
from wsss_cli.errors import WsssError
from wsss_folder.cells import is_list, is_no_value, is_present, read_confidence, read_list
from wsss_folder.object_table import SizeOf, find_objects, read_objects, split_both
from wsss_folder.one_hot import UNCERTAIN, class_columns, holds_numbers, is_binary, read_binary, read_one_hot
from wsss_folder.record import Record, Source
from wsss_folder.run_cells import Order
from wsss_folder.table import CONFIDENCE, Table, is_split, read_table

TAGS = ("tags", "tag", "labels", "label", "classes", "class", "categories", "category", "target", "targets",
        "label_name", "class_name", "category_name", "choice", "choices")  # fmt: skip
QUOTED = re.compile(r"""^(['"])(.*)\1$""")  # within a cell
WORDS = {"space": " ", "none": "", "tab": "\t", "comma": ","}


def read_tags(
    path: Path,
    image: str = "auto",
    tags: str = "auto",
    separator: str = "auto",
    least: float = 0.0,
    asked: Sequence[str] = (),
    order: Order = "auto",
    size_of: SizeOf | None = None,
) -> Source:
    """The tags or objects of each image; rows of one image are added up, and one without a tag says that there is none.

    image, tags  names of the columns;  separator  of the tags within a cell, "none" if a cell is one tag
    least  the confidence, of a column of that name or of the classes', from which a tag counts;  asked  the classes
    order, size_of  of run lengths, as `read_objects`
    Raises WsssError: no header, no such column, a cell of a one-hot column that is neither 0 nor 1.
    """
    table = split_both(read_table(path))
    key = table.image_column(image)
    column = tags_column(table, key, tags)
    if (found := find_objects(table, key, column)) is not None:
        return read_objects(found, least, asked, order, size_of)
    if column is None:
        return read_one_hot(table, key, least, asked)
    if is_binary(table, column):
        return read_binary(table, key, column, asked[0] if len(asked) == 1 else column)
    confidence = table.column(CONFIDENCE)
    split, how = _separator([cells[column] for _, cells in table.rows if not is_list(cells[column])], separator, path)
    read = [
        (name, where, _tags(cells[column], split, least, where), read_confidence(cells, confidence, where))
        for name, where, cells in table.images(key)
    ]
    none = Counter(word for _, _, words, _ in read for word in words if is_no_value(word) and word not in asked)
    records = [
        _record(name, where, [w for w in words if w not in none], sure, least) for name, where, words, sure in read
    ]
    unused = [c for c in table.columns if c and c not in (key, column, confidence) and not is_split(c)]
    note = f"; columns not used: {', '.join(unused)}" if unused else ""
    notes = (f"{path.name}: tags are in column '{column}', {how}{note}",)
    return Source(f"tags {table.kind}", path, records, notes=notes, warnings=tuple(_said(path, none)))


def tags_column(table: Table, key: str, asked: str = "auto") -> str | None:
    """The column of tags, by its name or because there is no other; None if there are columns of classes."""
    rest = class_columns(table, key)
    alone = rest[0] if len(rest) == 1 and table.rows and not holds_numbers(table, rest[0]) else None
    return table.column(TAGS, asked) or alone


def _record(name: str, where: str, tags: Sequence[str], sure: float, least: float) -> Record:
    """A confidence of 0 says that there is no such class; -1, or one that is too low, says nothing."""
    if is_present(sure, least):
        return Record((name,), where, tuple(dict.fromkeys(tags)))
    return Record((name,), where, unlabelled="" if sure == 0 else UNCERTAIN)


def _said(path: Path, none: Counter[str]) -> Iterable[str]:
    if none:
        shown = ", ".join(f"{count} '{word}'" for word, count in sorted(none.items()))
        yield f"{path.name}: {shown} taken as no tag (a class of that name must be named in --classes)"


def _tags(cell: str, split: str, least: float, where: str) -> tuple[str, ...]:
    if not is_list(cell):
        return tuple(str(plain_id(word)) for word in _split(cell, split))
    try:
        return read_list(cell, least)
    except (ValueError, TypeError) as error:
        raise WsssError(f"{where}: the list {cell} cannot be read: {error}", "write the tags as cat;dog") from error


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
    return (QUOTED.sub(r"\2", part.strip()) for part in parts if part.strip())
