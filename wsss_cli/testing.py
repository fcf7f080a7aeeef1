"""A tester for methods of plugins: subclass it in a test module, and pytest drives the method through its stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml


class MethodTester:
    """Runs `wsss` as a user would, each command a process of its own, on generated pictures.

    method   its name
    recipe   settings with which a training takes seconds: {stage: {key: value}}
    source   the arguments of `wsss prepare`
    env      variables that the commands have beside those of the tests

    class TestMine(MethodTester):
        method = "mine"
        recipe = {"train": {"net": {"backbone": "test_resnet", "pretrained": "none"}, "loop": {"epochs": 1}}}
    """

    method: ClassVar[str]
    recipe: ClassVar[Mapping[str, Any]]
    source: ClassVar[Sequence[str]] = ("shapes", "--train", "12", "--val", "6", "--size", "64")
    env: ClassVar[Mapping[str, str]] = {}

    def wsss(self, folder: Path, *words: str) -> str:
        """What the command prints; fails with all that it said if it does not end well."""
        command = [sys.executable, "-m", "wsss_cli", *words]
        done = subprocess.run(command, cwd=folder, env={**os.environ, **self.env}, capture_output=True, text=True)
        assert done.returncode == 0, f"wsss {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def evaluate(self, folder: Path, *words: str) -> dict[str, Any]:
        """The scores of the run in `folder`, whose stages are made where they are wanting; no reader processes."""
        (folder / "tiny.yaml").write_text(yaml.safe_dump(dict(self.recipe)), encoding="utf-8")
        named = ("evaluate", self.method, "--recipe", "tiny.yaml", "--workers", "0")
        return json.loads(self.wsss(folder, *named, *words, "--json"))

    def test_every_stage_is_made_and_scored(self, tmp_path: Path) -> None:
        """All stages finish, leave what they say, are not made again, and the prediction has a score."""
        self.wsss(tmp_path, "prepare", *self.source)
        scores = self.evaluate(tmp_path)
        assert all(0 <= row["miou"] <= 1 for row in scores["scores"]) and scores["images"] > 0
        planned = self.wsss(tmp_path, "evaluate", "--dry-run").splitlines()
        stages = [line.partition(":")[0] for line in planned]
        assert stages[-1] == "evaluate" and all(": finished ->" in line for line in planned), planned
        run = next(tmp_path.glob(f"runs/*/{self.method}/default"))
        records = [json.loads((run / stage / "stage.json").read_text(encoding="utf-8")) for stage in stages]
        assert all(record["status"] == "finished" and record["seconds"] >= 0 for record in records)
        assert list((run / "infer" / "labels").glob("*.png")), "stage infer left no label maps"
