"""Entry points -> Method and Dataset; a broken plugin is a warning, never a crash."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points

from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError
from wsss_cli.method import Method


@cache
def methods() -> dict[str, Method]:
    """Every installed method by name."""
    found: dict[str, Method] = {}
    for entry in entry_points(group="wsss.methods"):
        loaded = _load(entry, Method)
        if isinstance(loaded, Method):
            found[entry.name] = replace(loaded, package=entry.module.split(".")[0])
    return dict(sorted(found.items()))


@cache
def datasets() -> dict[str, Dataset]:
    """Every installed data set plugin by name."""
    found = {entry.name: _load(entry, Dataset) for entry in entry_points(group="wsss.datasets")}
    return {name: d for name, d in sorted(found.items()) if isinstance(d, Dataset)}


def method(name: str) -> Method:
    """The method of that name. Raises WsssError naming the nearest ones."""
    if name not in methods():
        raise WsssError(f"unknown method '{name}'{nearest(name, methods())}", "`wsss methods` lists those installed")
    return methods()[name]


def dataset(name: str) -> Dataset:
    """The data set plugin of that name. Raises WsssError naming the nearest ones."""
    if name not in datasets():
        raise WsssError(f"unknown data set '{name}'{nearest(name, datasets())}", "`wsss datasets` lists them")
    return datasets()[name]


def nearest(word: str, among: Iterable[str]) -> str:
    """'; did you mean ...?' with the nearest of `among`, or nothing."""
    close = difflib.get_close_matches(word, list(among), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else ""


def _load(entry, kind: type):  # type: ignore[no-untyped-def]
    try:
        loaded = entry.load()
    except Exception as error:  # whatever a plugin does wrong at import must not take the toolkit down
        warnings.warn(f"plugin '{entry.name}' ({entry.value}) does not load: {error!r}", stacklevel=2)
        return None
    if not isinstance(loaded, kind):
        warnings.warn(f"plugin '{entry.name}' ({entry.value}) is no {kind.__name__}", stacklevel=2)
    return loaded
