"""Run folders `runs/<dataset>/<method>/<name>/<stage>/` and the record `stage.json` of each stage."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wsss_cli import yaml12
from wsss_cli.choices.choice import Choice
from wsss_cli.config import merge, read_yaml
from wsss_cli.errors import WsssError
from wsss_cli.files import followed, is_writable, write_bytes, write_text, writing_allowed
from wsss_cli.locks import locked
from wsss_cli.names import inside, require_folder_name
from wsss_cli.nearest import nearest
from wsss_cli.sound import read_text, sum_of

Merge = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
"""`config.merge`, or one that knows whose settings they are."""

RECORD = "stage.json"
"""What is known of a stage, in its folder."""


@dataclass(frozen=True)
class Run:
    """One run of one method on one prepared data set.

    evaluation  the folder of stage evaluate, where that is not to be in the run: its own may be closed to writing
    """

    root: Path
    data: str
    method: str
    name: str
    evaluation: Path | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for part in (self.data, self.method, self.name):
            require_folder_name(part)

    @property
    def folder(self) -> Path:
        return self.root / self.data / self.method / self.name

    @property
    def settings_file(self) -> Path:
        return self.folder / "run.yaml"

    def stage(self, key: str) -> Path:
        """The folder of a stage: "seeds", "infer", or with a variant "infer-train"."""
        if self.evaluation is not None and key.partition("-")[0] == "evaluate":
            return self.evaluation
        return inside(self.folder, key, "the stage", "choose another split")

    def settings(self) -> Settings:
        """What the user has asked of this run so far.  Raises WsssError if run.yaml is damaged."""
        path = self.settings_file
        if not path.exists():
            return Settings()
        content = read_yaml(path)
        if "sum" in content and content.pop("sum") != sum_of(content):
            what = f"{path} is damaged, or was changed by hand"
            raise WsssError(what, f"if you changed it, take its last line away; {FORGET}")
        try:
            asked = _RunYaml.model_validate(content)
            return Settings(asked.recipe, asked.set, asked.choices(), asked.said)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise WsssError(f"{path} is damaged: {where}: {error.errors()[0]['msg'].lower()}", FORGET) from error

    def save_settings(self, settings: Settings) -> None:
        """Write run.yaml."""
        content: dict[str, Any] = {"recipe": settings.recipe, "set": settings.overrides}
        if (said := settings.says()) is not None:
            content["said"] = said
        if settings.chosen:
            content["chosen"] = {c.key: {"value": c.value, "reason": c.reason} for c in settings.chosen}
        body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        head, mark = "# what was asked of this run; later commands start from it", sum_of(yaml12.load(body))
        write_text(self.settings_file, f"{head}\n{body}sum: '{mark}'\n")

    def ask(self, settings: Settings) -> Callable[[], None]:
        """Write run.yaml, and name this run the last one; returns what undoes both.  A closed run stays as it is."""
        files = () if self.is_closed() else (self.settings_file, self.root / "latest")
        before = {path: path.read_bytes() if path.is_file() else None for path in files}
        if files:
            self.save_settings(settings)
            write_text(self.root / "latest", f"{self.data}/{self.method}/{self.name}\n")

        def undo() -> None:
            for path, content in before.items():
                path.unlink(missing_ok=True) if content is None else write_bytes(path, content)

        return undo

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run: no other command changes it meanwhile. The lock ends with the process, however it ends.

        Raises WsssError if another command holds it.  A run that is closed to writing nobody changes.
        """
        remedy = "wait for it, or name another run with --name"
        if not self.is_closed():
            with locked(followed(self.folder) / ".lock", f"is working on {self.folder}", remedy):
                yield
        else:
            yield

    def is_closed(self) -> bool:
        """Whether nothing can be written to it."""
        return not is_writable(self.folder)


@dataclass(frozen=True)
class Settings:
    """The recipe and overrides of a run: later commands on the run start from them, so nothing need be said twice.

    overrides  {stage: {key: value}}
    chosen     by data and machine, in place of a recipe: one that is given takes their place
    said       what the recipe said when it was used last, if it is a file: a trained run outlives that
    """

    recipe: str | None = None
    overrides: dict[str, Any] | None = None
    chosen: tuple[Choice, ...] = ()
    said: dict[str, Any] | None = None

    def updated(self, recipe: str | None, overrides: Mapping[str, Any], over: Merge = merge) -> Settings:
        """With what is asked later.  over: lays it over what was asked before: `Method.laid_over`."""
        more = over(self.overrides or {}, overrides)
        return Settings(recipe, more) if recipe else Settings(self.recipe, more, self.chosen, self.said)

    @property
    def recipe_file(self) -> Path | None:
        """The recipe, if it is a file and not one of the method's."""
        return Path(self.recipe) if self.recipe and self.recipe.endswith((".yaml", ".yml")) else None

    def says(self) -> dict[str, Any] | None:
        """What the recipe's file holds; of one that is gone, what it held.  None: it is no file."""
        file = self.recipe_file
        return read_yaml(file) if file and file.exists() else self.said

    def of(self, stage: str) -> dict[str, Any]:
        return (self.overrides or {}).get(stage) or {}


class _Chosen(BaseModel):
    """A setting that was chosen, and why."""

    model_config = ConfigDict(extra="forbid")
    value: Any
    reason: str


class _RunYaml(BaseModel):
    """What run.yaml holds, whole: an empty one does not say that nothing was asked."""

    model_config = ConfigDict(extra="forbid")
    recipe: str | None
    set: dict[str, dict[str, Any]] | None
    chosen: dict[str, _Chosen] = Field(default_factory=dict)
    said: dict[str, Any] | None = None

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(key, one.value, one.reason) for key, one in self.chosen.items())


FORGET = "to start from no settings, delete it: each stage's config.yaml has those that it was made with"


def latest_run(root: Path) -> Run:
    """The run that `runs/latest` names. Raises WsssError if there is none."""
    path = root / "latest"
    remedy = "name a method: wsss train METHOD, one of `wsss methods`"
    if not path.exists():
        raise WsssError(f"there is no run in {root} yet", remedy)
    try:
        return Run(root, *read_text(path).strip().split("/"))
    except (ValueError, TypeError) as error:  # no text, not three names
        raise WsssError(f"{path} does not name a run", remedy) from error


def all_runs(root: Path) -> list[Run]:
    """Every run of which something is there."""
    folders = {path.parent for path in root.glob("*/*/*/run.yaml")}
    folders |= {path.parents[1] for path in root.glob("*/*/*/*/stage.json")}
    return [Run(root, *folder.relative_to(root).parts) for folder in sorted(folders)]


def delete(run: Run) -> dict[Path, Path]:
    """Take a run away; of links, of itself or of its stages, the link alone: returns what each led to.

    Raises WsssError if it is in use, or closed to writing.
    """
    folder = run.folder
    paths = [folder] if folder.is_symlink() else folder.iterdir()
    links = {path: Path(os.path.realpath(path)) for path in paths if path.is_symlink()}
    with run.locked(), writing_allowed(folder):
        folder.unlink() if folder in links else shutil.rmtree(folder)
    return links


def nearest_run(run: Run, stage: str = "*") -> str:
    """'; did you mean ...?' with the nearest of the other runs in which a stage, or any, was begun, or nothing."""
    name = f"{run.method}/{run.name}"
    begun = (one for one in all_runs(run.root) if any(one.folder.glob(f"{stage}/stage.json")))
    return nearest(name, sorted({f"{one.method}/{one.name}" for one in begun} - {name}))


class DamagedRecord(WsssError):
    """A stage.json that is not as it was written: what the stage's folder holds is not known."""


def read_record(folder: Path) -> dict[str, Any] | None:
    """stage.json of a stage's folder; None if the stage was never started.

    Raises DamagedRecord, and WsssError if it may not be read.
    """
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        record = json.loads(read_text(path))
        if not isinstance(record, dict):
            raise ValueError(f"it holds a {type(record).__name__}")
        if lacking := {"status", "config", "data_hash", "inputs"} - record.keys():
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        if record.pop("sum", None) not in (None, sum_of(record)):  # older versions wrote none
            raise ValueError("it was changed after it was written")
    except (ValueError, RecursionError) as error:
        raise DamagedRecord(
            f"{path} is damaged: {error}", "the next command that needs the stage makes it again"
        ) from error
    return record


def known_record(folder: Path) -> dict[str, Any]:
    """What stage.json tells; nothing if it is not there or damaged."""
    try:
        return read_record(folder) or {}
    except DamagedRecord:
        return {}


def classes_mark(folder: Path) -> str | None:
    """`Prepared.mark` of the classes that a stage's folder was made for; None where it does not say."""
    return (known_record(folder).get("splits") or {}).get("")


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write stage.json, with a sum by which it is known that nobody has changed it."""
    plain = json.loads(json.dumps(record))
    write_text(folder / RECORD, json.dumps(plain | {"sum": sum_of(plain)}, indent=2, ensure_ascii=False) + "\n")


def fingerprint(config: dict[str, Any], data_hash: str, inputs: dict[str, str]) -> str:
    """What a stage's result depends on: its config, the data that it reads, and its input stages' fingerprints."""
    text = json.dumps([config, data_hash, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def set_aside(folder: Path) -> None:
    """Keep an earlier result as `<stage>.previous` (one generation) instead of deleting it.

    What was never finished does not replace an earlier result that was.  A folder of which no record tells what it
    holds is kept as `<stage>.damaged`.  Raises WsssError if nothing can be changed there.
    """
    folder = followed(folder)
    if not folder.exists():
        return
    finished = _finished(folder)
    previous = folder.with_name(f"{folder.name}.damaged") if finished is None else previous_of(folder)
    with writing_allowed(previous):
        if finished is False and _finished(previous):
            shutil.rmtree(folder)
            return
        if previous.exists():
            shutil.rmtree(previous)
        folder.rename(previous)


def previous_of(folder: Path) -> Path:
    """Where a stage's earlier result is kept."""
    folder = followed(folder)
    return folder.with_name(f"{folder.name}.previous")


def bring_back(folder: Path) -> None:
    """Put a finished result that was set aside in the place of one that came to nothing."""
    folder = followed(folder)
    previous = previous_of(folder)
    if _finished(previous) and not _finished(folder):
        shutil.rmtree(folder, ignore_errors=True)
        previous.rename(folder)


def is_kept_aside(folder: Path) -> bool:
    """Whether it is a stage's earlier result."""
    return folder.suffix in (".previous", ".damaged")


def _finished(folder: Path) -> bool | None:
    """None if that is not known."""
    try:
        record = read_record(folder)
    except DamagedRecord:
        return None
    return None if record is None else record["status"] == "finished"
