"""Entry points -> Method and Dataset; a broken plugin is a warning, never a crash."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError, caught
from wsss_cli.method import Method
from wsss_cli.nearest import nearest


@cache
def methods() -> dict[str, Method]:
    """Every installed method by name."""
    found = _scan("wsss.methods", Method)[0]
    return {e.name: replace(m, name=e.name, package=e.module.split(".")[0]) for e, m in found}


@cache
def datasets() -> dict[str, Dataset]:
    """Every installed data set plugin by name."""
    return {e.name: replace(d, name=e.name) for e, d in _scan("wsss.datasets", Dataset)[0]}


def dataset(name: str) -> Dataset:
    """The data set plugin of that name. Raises WsssError naming the nearest ones."""
    if name not in datasets():
        raise WsssError(f"unknown source '{name}'{nearest(name, datasets())}", "`wsss datasets` lists those installed")
    return datasets()[name]


def broken() -> list[str]:
    """What is wrong with each installed plugin that cannot be used, or not in all of its stages."""
    unsettled = [
        f"method '{method.name}': {error.what}"
        for method in methods().values()
        for stage in method.all_stages()
        for error in caught(stage.config_class)
    ]
    return _scan("wsss.methods", Method)[1] + _scan("wsss.datasets", Dataset)[1] + unsettled


def method(name: str) -> Method:
    """The method of that name. Raises WsssError naming the nearest ones."""
    if name not in methods():
        raise WsssError(f"unknown method '{name}'{nearest(name, methods())}", "`wsss methods` lists those installed")
    return methods()[name]


@cache
def _scan(group: str, kind: type) -> tuple[list[tuple[EntryPoint, Any]], list[str]]:
    """The plugins of a group by name, and what is wrong with those left out; each of these is a warning as well."""
    good: dict[str, tuple[EntryPoint, Any]] = {}
    problems = []
    for entry in sorted(entry_points(group=group), key=lambda e: e.name):
        try:
            loaded = entry.load()
            problem = "" if isinstance(loaded, kind) else f"is no {kind.__name__}"
        except Exception as error:  # whatever a plugin does wrong at import must not take the toolkit down
            problem = f"does not load: {error!r}"
        if not problem and entry.name in good:
            problem = f"has the name of {good[entry.name][0].value}"
        if problem:
            problems.append(f"plugin '{entry.name}' ({entry.value}) {problem}")
            warnings.warn(problems[-1], stacklevel=2)
        else:
            good[entry.name] = entry, loaded
    return list(good.values()), problems
