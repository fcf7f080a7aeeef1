"""Run folders `runs/<dataset>/<method>/<name>/<stage>/` and the record `stage.json` of each stage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wsss_cli.config import merge, read_yaml
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.locks import locked
from wsss_cli.names import inside, require_folder_name


@dataclass(frozen=True)
class Run:
    """One run of one method on one prepared data set."""

    root: Path
    data: str
    method: str
    name: str

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
        return inside(self.folder, key, "the stage", "choose another split")

    def settings(self) -> Settings:
        """What the user has asked of this run so far."""
        if not self.settings_file.exists():
            return Settings()
        content = read_yaml(self.settings_file)
        return Settings(recipe=content.get("recipe"), overrides=content.get("set"))

    def save_settings(self, settings: Settings) -> None:
        body = yaml.safe_dump({"recipe": settings.recipe, "set": settings.overrides}, sort_keys=False)
        write_text(self.settings_file, f"# what was asked of this run; later commands start from it\n{body}")

    def make_latest(self) -> None:
        write_text(self.root / "latest", f"{self.data}/{self.method}/{self.name}\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run: no other command changes it meanwhile. The lock ends with the process, however it ends.

        Raises WsssError if another command holds it.
        """
        remedy = "wait for it, or name another run with --name"
        with locked(self.folder / ".lock", f"is working on {self.folder}", remedy):
            yield


@dataclass(frozen=True)
class Settings:
    """The recipe and overrides of a run: later commands on the run start from them, so nothing need be said twice.

    overrides  {stage: {key: value}}
    """

    recipe: str | None = None
    overrides: dict[str, Any] | None = None

    def updated(self, recipe: str | None, overrides: dict[str, Any]) -> Settings:
        return Settings(recipe or self.recipe, merge(self.overrides or {}, overrides))

    def of(self, stage: str) -> dict[str, Any]:
        return (self.overrides or {}).get(stage) or {}


def latest_run(root: Path) -> Run:
    """The run that `runs/latest` names. Raises WsssError if there is none."""
    path = root / "latest"
    if not path.exists():
        raise WsssError(f"there is no run in {root} yet", "name a method, for example: wsss train irn")
    parts = path.read_text(encoding="utf-8").strip().split("/")
    if len(parts) != 3:
        raise WsssError(f"{path} does not name a run", "name a method, for example: wsss train irn")
    return Run(root, *parts)


def read_record(folder: Path) -> dict[str, Any] | None:
    """stage.json of a stage's folder; None if the stage was never started.

    Raises WsssError if the file is damaged.
    """
    path = folder / "stage.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        missing = {"status", "config", "data_hash", "inputs"} - record.keys()
        if missing:
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    except (OSError, ValueError, AttributeError) as error:
        raise WsssError(f"{path} cannot be read: {error}", "delete the folder to make the stage again") from error
    return record


def write_record(folder: Path, record: dict[str, Any]) -> None:
    write_text(folder / "stage.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def fingerprint(config: dict[str, Any], data_hash: str, inputs: dict[str, str]) -> str:
    """What a stage's result depends on: its config, the data set, and its input stages' fingerprints."""
    text = json.dumps([config, data_hash, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def set_aside(folder: Path) -> None:
    """Keep an earlier result as `<stage>.previous` (one generation) instead of deleting it.

    What was never finished does not replace an earlier result that was.
    """
    import shutil

    if not folder.exists():
        return
    previous = folder.with_name(folder.name + ".previous")
    if _finished(previous) and not _finished(folder):
        shutil.rmtree(folder)
        return
    if previous.exists():
        shutil.rmtree(previous)
    folder.rename(previous)


def _finished(folder: Path) -> bool:
    record = read_record(folder)
    return record is not None and record["status"] == "finished"
