"""The names that people give to splits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

MEANT = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
SPLITS = frozenset(MEANT.values())
OF_MASKS = re.compile(rf"({'|'.join(MEANT)})[-_]?(annot|annotations?|masks?|labels?|gt)")


def meant(name: str) -> str:
    """train, val or test for the usual words, also with a year (val2017); any other name stays."""
    word = re.sub(r"[-_]?(19|20)\d\d$", "", name.strip().lower())
    return MEANT.get(word, name.strip())


def split_folders(names: Sequence[str]) -> list[str] | None:
    """The split of each image if all lie in folders train, val, ..., among them train and another; else None."""
    first = [name.partition("/") for name in names]
    splits = [meant(folder) if slash else "" for folder, slash, _ in first]
    found = set(splits)
    return splits if found <= set(MEANT.values()) and "train" in found and len(found) > 1 else None


def told_by(words: Sequence[str]) -> str:
    """train, val or test, if the words speak of one of them; "" if of none, or of several."""
    found = {meant(word) for word in words} & set(MEANT.values())
    return found.pop() if len(found) == 1 else ""


def split_of_file(path: Path) -> str:
    """The split that the name of a file tells (instances_train2017.json), "" if none."""
    return told_by(re.split(r"[\W_]+", path.stem))


def split_of_masks(folder: str) -> str:
    """The split of a folder of masks that is called after it (trainannot, val_masks), "" of any other."""
    found = OF_MASKS.fullmatch(folder.casefold())
    return MEANT[found[1]] if found else ""
