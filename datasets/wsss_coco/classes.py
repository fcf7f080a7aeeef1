"""Category ids of COCO -> class ids 1..C and their names."""

from __future__ import annotations

from typing import Literal

from wsss_cli.data.label_format import MOST_CLASSES
from wsss_cli.errors import WsssError
from wsss_coco.index import Index


def class_ids(index: Index, how: Literal["rank", "91"]) -> tuple[dict[int, int], tuple[str, ...]]:
    """Category id -> class id, and the names of classes 1..C.

    rank: 1..C in the order of the category ids.  91: the category id itself; ids that no category has are classes too.
    Raises WsssError if a category id cannot be a class id.
    """
    categories = index.categories  # in the order of their ids
    if how == "rank":
        return {id: rank for rank, id in enumerate(categories, start=1)}, tuple(categories.values())
    wrong = [id for id in categories if not 1 <= id <= MOST_CLASSES]
    if wrong:
        what = f"{index.path}: category id {wrong[0]} cannot be a class id: those are 1..{MOST_CLASSES}"
        raise WsssError(what, "number the classes by rank: --classes rank")
    names = tuple(categories.get(id, f"unused {id}") for id in range(1, max(categories) + 1))
    return {id: id for id in categories}, names


def require_same(train: Index, val: Index) -> None:
    """Raises WsssError if the two files do not mean the same by a category id."""
    a, b = train.categories, val.categories
    for id in sorted(a.keys() | b.keys()):
        if a.get(id) != b.get(id):
            what = f"category {id} is {_shown(a.get(id))} in {train.path}, but {_shown(b.get(id))} in {val.path}"
            raise WsssError(what, "list the same categories in both files")


def _shown(name: str | None) -> str:
    return "missing" if name is None else f"'{name}'"
