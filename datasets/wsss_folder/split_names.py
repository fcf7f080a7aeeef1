"""The names that people give to splits."""

from __future__ import annotations

from collections.abc import Sequence

MEANT = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


def meant(name: str) -> str:
    """train, val or test for the usual words; any other name stays."""
    return MEANT.get(name.strip().lower(), name.strip())


def split_folders(names: Sequence[str]) -> list[str] | None:
    """The split of each image if all lie in folders train, val, ..., among them train and another; else None."""
    first = [name.partition("/") for name in names]
    splits = [MEANT.get(folder.lower()) if slash else None for folder, slash, _ in first]
    found = set(splits)
    return [s for s in splits if s] if None not in found and "train" in found and len(found) > 1 else None
