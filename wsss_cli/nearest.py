"""The word that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, among: Iterable[str]) -> str:
    """'; did you mean ...?' with the nearest of `among`, or nothing."""
    close = difflib.get_close_matches(word, list(among), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
