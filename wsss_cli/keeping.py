"""What of a stage's earlier results is kept when it is made again: parts that depend on nothing that has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wsss_cli.config import StageConfig, as_dict, flat
from wsss_cli.files import link, writing_allowed
from wsss_cli.parts import Part, dependencies
from wsss_cli.runs import known_record
from wsss_cli.seals import JOURNAL, artefacts, sound

GROWING = (".jsonl", ".txt")
"""Endings of files that are written to at their end: of them there is a copy, of all others a second name, for what is
written anew (`files.writing`) is another file."""


@dataclass(frozen=True)
class Kept:
    """A part that is kept, and the stage's folder in which it lies so far."""

    part: Part
    folder: Path


def kept_parts(
    config: StageConfig,
    files: Mapping[str, Any],
    folders: Iterable[Path],
    same_inputs: Callable[[Mapping[str, Any]], bool],
) -> tuple[Kept, ...]:
    """The parts that need not be made again, each from the first of the folders that has it.

    files        what the files are that the settings name, as `places.identities`
    same_inputs  whether a stage.json tells of the data and of the results of other stages that there are now
    """
    wanted, found = _dependencies(config, files), dict[str, Kept]()
    for folder in folders if wanted else ():
        record = known_record(folder)
        if not record or not same_inputs(record):
            continue
        there, before = artefacts(folder), _recorded(type(config), record)
        for part in config.parts():
            fits = part.name not in found and before.get(part.name) == wanted[part.name]
            if fits and any(map(part.holds, there)):
                found[part.name] = Kept(part, folder)
    return tuple(found[part.name] for part in config.parts() if part.name in found)


def gather(kept: Sequence[Kept], aside: Path) -> None:
    """Make `aside` a folder of what is kept, but for what is damaged, or none of nothing; where it lay it stays."""
    shutil.rmtree(aside, ignore_errors=True)
    for folder in dict.fromkeys(one.folder for one in kept):
        parts = [one.part for one in kept if one.folder == folder]
        names = [name for name in artefacts(folder) if _held(name, parts)]
        for name in sound(folder, known_record(folder), names):
            take(folder / name, aside / name)


def take(source: Path, target: Path) -> None:
    """The same file under another name; what is written to one is not written to the other."""
    with writing_allowed(target):
        (shutil.copy2 if source.suffix in GROWING else link)(source, target)


def take_folder(source: Path, target: Path) -> None:
    """A folder of the same files."""
    shutil.copytree(source, target, copy_function=lambda one, other: take(Path(one), Path(other)))


def has_more(folder: Path, kept: Sequence[Kept]) -> bool:
    """Whether a stage has left anything beside what was kept, and the journals of trainings."""
    parts = [one.part for one in kept]
    return any(not (_held(name, parts) or name.endswith(JOURNAL)) for name in artefacts(folder))


def _held(name: str, parts: Iterable[Part]) -> bool:
    return any(part.holds(name) for part in parts)


def told(kept: Sequence[Kept], config: StageConfig) -> str:
    """In words: "keeps IR labels, IRN, which read nothing of it; makes walk"; "" if nothing is kept."""
    names = [one.part.name for one in kept]
    rest = [part.name for part in config.parts() if part.leaves and part.name not in names]
    made = f"makes {', '.join(rest)}" if rest else "all was made before"
    return f"keeps {', '.join(names)}, which read nothing of it; {made}" if names else ""


def _recorded(cls: type[StageConfig], record: Mapping[str, Any]) -> dict[str, Any]:
    """What each part depended on; nothing if the settings mean something else now."""
    try:
        return _dependencies(cls.recorded(record["config"]), record.get("files", {}))
    except ValidationError:
        return {}


def _dependencies(config: StageConfig, files: Mapping[str, Any]) -> dict[str, Any]:
    """Of each part; a file both by its path, which checkpoints know, and by its content."""
    settings = flat(as_dict(config))
    contents = {key: [settings.get(key), seen["digest"]] for key, seen in files.items()}
    return dependencies(config.parts(), settings | contents)
