"""The parts of a stage: pieces of its work that stay when it is made again and nothing that they read has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest


@dataclass(frozen=True)
class Part:
    """One piece of a stage's work, which the stage's function does not do again where its files are there.

    name      for the user: "IRN", "CAM net"
    leaves    its files and folders, below the stage's folder; () of what these settings leave out
    settings  the keys of settings that it reads: "training", "walk.background".  A key is read by those that name most
              of it: with "walk" in one part and "walk.background" in another, the latter is not read by the first.
              What no part names, all read: so a setting that somebody adds is never forgotten
    of        the parts that it builds on, by name; what they read, it depends on too
    """

    name: str
    leaves: tuple[str, ...]
    settings: tuple[str, ...] = ()
    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises WsssError for a text in place of a tuple: the comma is easily forgotten."""
        for field in ("leaves", "settings", "of"):
            if isinstance(value := getattr(self, field), str):
                what = f"part '{self.name}' of a stage: {field} = {value!r} is no tuple"
                raise WsssError(what, f"write ({value!r},): mend the plugin")

    def holds(self, file: str) -> bool:
        """Whether a file, by its name below the stage's folder, is of this part."""
        return any(file == leaf or file.startswith(f"{leaf}/") for leaf in self.leaves)


def require_parts(parts: Sequence[Part], keys: Collection[str], whose: str) -> None:
    """Raises WsssError for a part that names a setting or an earlier part that there is not: it would be made again, or
    kept, for what it does not read.

    keys  of settings and sections of them;  whose  the class of the settings, for the message
    """
    earlier: list[str] = []
    for part in parts:
        what = f"{whose}.parts: part '{part.name}'"
        if strange := [key for key in part.settings if key not in keys]:
            near = nearest(strange[0], keys)
            raise WsssError(f"{what} names the setting '{strange[0]}', which there is not{near}", "mend the plugin")
        if strange := [name for name in part.of if name not in earlier]:
            before = f"before it come: {', '.join(earlier) or 'none'}: mend the plugin"
            raise WsssError(f"{what} is made of part '{strange[0]}', which does not come before it", before)
        earlier.append(part.name)


def dependencies(parts: Sequence[Part], settings: Mapping[str, Any]) -> dict[str, Any]:
    """All that each part depends on, as plain data, by its name.

    settings  flat: {"walk.beta": 10.0}
    Raises KeyError if a part builds on one that does not come before it.
    """
    readers = {key: _readers(key, parts) for key in settings}
    found: dict[str, Any] = {}
    for part in parts:
        own = {key: value for key, value in settings.items() if part.name in readers[key]}
        found[part.name] = {"settings": own, "of": {name: found[name] for name in part.of}}
    return found


def _readers(key: str, parts: Sequence[Part]) -> set[str]:
    """The names of the parts that read a setting themselves."""
    named = {part.name: max((len(s) for s in part.settings if _within(key, s)), default=0) for part in parts}
    most = max(named.values(), default=0)
    return {name for name, length in named.items() if length == most}


def _within(key: str, setting: str) -> bool:
    return key == setting or key.startswith(f"{setting}.")
