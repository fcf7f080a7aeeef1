"""Run folders `runs/<dataset>/<method>/<name>/<stage>/` and the record `stage.json` of each stage."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wsss_cli.config import merge, read_yaml
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text


@dataclass(frozen=True)
class Run:
    """One run of one method on one prepared data set."""

    root: Path
    data: str
    method: str
    name: str

    @property
    def folder(self) -> Path:
        return self.root / self.data / self.method / self.name

    def stage(self, key: str) -> Path:
        """The folder of a stage: "seeds", "infer", or with a variant "infer-train"."""
        return self.folder / key

    def settings(self) -> Settings:
        """What the user has asked of this run so far."""
        path = self.folder / "run.yaml"
        if not path.exists():
            return Settings()
        content = read_yaml(path)
        return Settings(recipe=content.get("recipe"), overrides=content.get("set", {}))

    def save_settings(self, settings: Settings) -> None:
        body = yaml.safe_dump({"recipe": settings.recipe, "set": settings.overrides}, sort_keys=False)
        write_text(self.folder / "run.yaml", f"# what was asked of this run; later commands start from it\n{body}")

    def make_latest(self) -> None:
        write_text(self.root / "latest", f"{self.data}/{self.method}/{self.name}\n")


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
    data, method, name = path.read_text(encoding="utf-8").strip().split("/")
    return Run(root, data, method, name)


def read_record(folder: Path) -> dict[str, Any] | None:
    """stage.json of a stage's folder; None if the stage was never started.

    Raises WsssError if the file is damaged.
    """
    path = folder / "stage.json"
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WsssError(f"{path} cannot be read: {error}", "delete the folder to make the stage again") from error


def write_record(folder: Path, record: dict[str, Any]) -> None:
    write_text(folder / "stage.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def fingerprint(config: dict[str, Any], data_hash: str, inputs: dict[str, str]) -> str:
    """What a stage's result depends on: its config, the data set, and its input stages' fingerprints."""
    text = json.dumps([config, data_hash, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def set_aside(folder: Path) -> None:
    """Keep an earlier result as `<stage>.previous` (one generation) instead of deleting it."""
    import shutil

    if not folder.exists():
        return
    previous = folder.with_name(folder.name + ".previous")
    if previous.exists():
        shutil.rmtree(previous)
    folder.rename(previous)
