"""What tools write into COCO JSONs where COCO itself has whole numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from wsss_cli.errors import WsssError

Crowd = Literal["auto", "skip", "ignore", "paint"]
"""What becomes of crowds: `auto`: the source's own choice, but objects where every object is marked as one."""

MANY = 0.1  # of the objects; COCO marks one in a hundred


def whole(value: Any) -> int | None:
    """The whole number that an id is meant to be, given as 3, 3.0, "3" or "3.0"; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"(0|-?[1-9]\d{0,17})(\.0+)?", value.strip()):
        return int(value.strip().partition(".")[0])
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def plain_id(value: int | float | str) -> int | str:
    """An id as a whole number, if it is one in any form; else as text."""
    number = whole(value)
    return str(value).strip() if number is None else number


def note_name(names: dict[Any, str], id: int | str, name: str, kind: str, path: Path) -> None:
    """Note what an id stands for; listed twice alike it is one.  Raises WsssError if it stands for two."""
    if names.setdefault(id, name) != name:
        what = f"{path}: two {kind} have the id {id}: '{names[id]}' and '{name}'"
        raise WsssError(what, "give each its own id: which objects are whose cannot be known")


def is_crowd(annotation: Any) -> bool:
    """Whether an annotation is marked as a crowd, by 1, 1.0, "1" or true."""
    mark = annotation.get("iscrowd") if isinstance(annotation, Mapping) else None
    return mark is True or whole(mark) == 1 or (isinstance(mark, str) and mark.strip().lower() == "true")


def crowd_choice(asked: Crowd, crowds: int, objects: int, usual: Crowd) -> Crowd:
    """What becomes of the crowds of a file: what is asked for, `usual` if that is auto and not all are crowds."""
    if asked != "auto":
        return asked
    return "paint" if 0 < crowds == objects else usual


def crowd_warning(path: Path, crowds: int, objects: int, asked: Crowd, chosen: Crowd) -> str | None:
    """What to say where more objects are marked as crowds than COCO itself has; None if there is nothing to say."""
    if crowds <= MANY * objects or (asked == chosen == "paint"):
        return None
    what = f"{path.name}: {crowds} of {objects} objects are marked as crowds (iscrowd 1)"
    if chosen == "paint":
        return f"{what}, as some tools mark every mask: taken as objects (--crowd ignore would not)"
    done = {"skip": "left out of the masks", "ignore": "ignored in the masks"}[chosen]
    return f"{what}: {done}, without boxes (--crowd paint takes them as objects)"
