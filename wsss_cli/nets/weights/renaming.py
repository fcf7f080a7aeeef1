"""Tensors of one code base under the names of another, by pairs of prefixes; `names` holds how others name them."""

from __future__ import annotations

Pairs = tuple[tuple[str, str], ...]
"""(their prefix, our prefix): the first that fits a key is replaced, a key that none fits stays."""


def rename(key: str, pairs: Pairs) -> str:
    """The key with the first fitting prefix replaced."""
    for theirs, ours in pairs:
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key


def inverse(pairs: Pairs) -> Pairs:
    """The map in the other direction."""
    return tuple((ours, theirs) for theirs, ours in pairs)
