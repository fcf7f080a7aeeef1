"""The names in a cell that holds a list, as programs write it: ["cat", "dog"], ['cat'], [cat, dog], {"cat": 0.9}."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from wsss_cli.data.coco_entries import plain_id
from wsss_cli.errors import WsssError

BARE_NAN = re.compile(r"(?<=[\[\s,({])nan(?=[\s,\])}])")  # of NumPy, in a list as Python prints it
BRACKETS = ("[]", "()", "{}")
NO_VALUE = ("nan", "none", "null", "<na>", "n/a", "#n/a")  # what programs write into a cell without a value
NAMES = ("choices", "label", "labels", "tag", "tags", "name", "class", "category")  # keys whose value is a name


def is_no_value(word: str) -> bool:
    """Whether a word says that there is none, in any case."""
    return word.casefold() in NO_VALUE


def is_list(cell: str) -> bool:
    """Whether the cell is between brackets."""
    return cell[:1] + cell[-1:] in BRACKETS


def read_list(cell: str, least: float = 0.0) -> tuple[str, ...]:
    """The names in a list, as text; of a mapping of names to numbers those above 0, and of `least` or more.

    "None" and the like are kept, so that it can be told.  Raises ValueError for what is no list of names.
    """
    return tuple(str(name).strip() for name in _names(_parsed(cell), least))


def _parsed(cell: str) -> Any:
    if re.search(r"""(['"])\s+(['"])""", cell):  # ['cat' 'dog']: numpy's, which Python would read as one name
        return re.findall(r"""['"](.+?)['"]""", cell)
    for read in (json.loads, ast.literal_eval):
        try:
            return read(cell if read is json.loads else BARE_NAN.sub("None", cell))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if re.search(r"""['":{}()]""", cell[1:-1]):
        raise ValueError("it is neither JSON nor a list of Python")
    return [name for name in map(str.strip, cell[1:-1].split(",")) if name]


def _names(value: Any, least: float) -> list[str]:
    if value is None:
        return ["None"]
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return [str(plain_id(value))]
    if isinstance(value, list | tuple | set):
        return [name for one in (sorted(value) if isinstance(value, set) else value) for name in _names(one, least)]
    if isinstance(value, dict):
        named = [v for key, v in value.items() if str(key) in NAMES or str(key).endswith("labels")]
        if named:
            return _names(named, least)
        if all(isinstance(v, bool | int | float) for v in value.values()):
            return [str(key) for key, v in value.items() if is_present(float(v), least)]
    raise ValueError(f"{value!r} is no name")


def is_present(confidence: float, least: float) -> bool:
    """Whether a class of that confidence is a tag: 0 means verified as absent (Open Images)."""
    return confidence > 0 and confidence >= least


def read_confidence(cells: Mapping[str, str], column: str | None, where: str) -> float:
    """What a row says of how sure it is; 1 without a confidence.  Raises WsssError for one that is no number."""
    if column is None or not cells[column]:
        return 1.0
    try:
        return float(cells[column])
    except ValueError as error:
        raise WsssError(f"{where}: the {column} '{cells[column]}' is no number", "give 0 to 1, or nothing") from error
