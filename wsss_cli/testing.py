"""A tester for methods of plugins: subclass it in a test module, and pytest drives the method through its stages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest
import torch
import yaml

from wsss_cli.cam.store import read_cam
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.engine import checkpoint
from wsss_cli.promises import files_of

KILLED = -9


class Resumed(NamedTuple):
    """A training that was killed and went on: its folder, the iteration it went on from, what was said then."""

    folder: Path
    iteration: int
    said: str


class MethodTester:
    """Runs `wsss` as a user would, each command a process of its own, on generated pictures.

    method     its name
    recipe     settings with which a training takes seconds: {stage: {key: value}}
    source     the arguments of `wsss prepare`
    env        variables that the commands have beside those of the tests
    often      settings with which the stage `train` saves its state after every iteration
    parts      patterns of the folders, within that of `train`, in whose training it is killed, one after another
    of_tags    stages whose label maps have no other classes than the image's tags
    like_one   settings with which two processes compute what one does, such as no dropout, fixed batch statistics and
               a small rate; None: that is not tested
    tolerance  by how much a weight may differ then

    class TestMine(MethodTester):
        method = "mine"
        recipe = {"train": {"net": {"backbone": "test_resnet", "pretrained": "none"}, "loop": {"epochs": 3}}}
    """

    method: ClassVar[str]
    recipe: ClassVar[Mapping[str, Any]]
    source: ClassVar[Sequence[str]] = ("shapes", "--train", "12", "--val", "6", "--size", "64")
    env: ClassVar[Mapping[str, str]] = {}
    often: ClassVar[Sequence[str]] = ("train.loop.save_minutes=0",)
    parts: ClassVar[Sequence[str]] = ("**",)
    of_tags: ClassVar[Sequence[str]] = ("seeds", "pseudo")
    like_one: ClassVar[Sequence[str] | None] = None
    tolerance: ClassVar[float] = 5e-3

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Where the commands run: the data set is prepared, the recipe lies there as tiny.yaml."""
        folder = tmp_path_factory.mktemp(cls.method)
        (folder / "tiny.yaml").write_text(yaml.safe_dump(dict(cls.recipe)), encoding="utf-8")
        cls.wsss(folder, "prepare", *cls.source)
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run's folder, once `wsss evaluate --train` made every stage that it needs."""
        cls.wsss(folder, "evaluate", "--train", *cls.tiny())
        return cls.at(folder)

    def test_every_stage_is_made_and_scored(self, folder: Path, run: Path) -> None:
        """All stages finish, leave what they say, are not made again, and the prediction has a score."""
        made = stamps(run / "train")
        scores = json.loads(self.wsss(folder, "evaluate", *self.tiny(), "--json"))
        assert all(0 <= row["miou"] <= 1 for row in scores["scores"]) and scores["images"] > 0
        assert made == stamps(run / "train"), "a finished training was touched"
        planned = self.wsss(folder, "evaluate", *self.tiny(), "--dry-run").splitlines()
        assert planned and all(": finished ->" in line for line in planned), planned
        for line in planned:
            stage = run / line.partition(":")[0]
            record = json.loads((stage / "stage.json").read_text(encoding="utf-8"))
            assert record["status"] == "finished" and record["seconds"] >= 0 and record["versions"]["torch"], stage
            assert (stage / "config.yaml").exists() and (stage / "log.txt").exists(), stage

    def test_label_maps_fit_their_images(self, folder: Path, run: Path) -> None:
        """Sizes are the images', classes the data set's, and where `of_tags` says so only those of the tags."""
        data = self.data(folder)
        tags = {sample.id: set(sample.tags) for sample in data.samples}
        samples = {sample.id: sample for sample in data.samples}
        predicted = files_of(run / "infer" / "labels", ".png").keys()
        assert predicted == {sample.id for sample in data.split(data.split_for("val"))}
        for stage in ("seeds", "pseudo", "infer"):
            made = [item for below in (run / stage).glob("labels*") for item in files_of(below, ".png").items()]
            for id, path in made:
                labels = read_labels(path)
                classes = tags[id] if stage in self.of_tags else set(range(1, data.num_classes + 1))
                seen = samples[id].full if stage == "infer" else samples[id]
                assert labels.shape == (seen.height, seen.width), path
                assert set(np.unique(labels).tolist()) <= {0, 255, *classes}, path

    def test_cams_are_of_the_tags(self, folder: Path, run: Path) -> None:
        """CAMs, where the method leaves any, lie in [0, 1] and are of classes that the image is tagged with."""
        tags = {sample.id: set(sample.tags) for sample in self.data(folder).samples}
        for id, path in files_of(run / "seeds" / "cam", ".npz").items():
            cam = read_cam(path)
            assert set(cam.class_ids.tolist()) <= tags[id] and 0 <= cam.cam.min() <= cam.cam.max() <= 1, path

    @pytest.fixture(scope="class")
    @classmethod
    def resumed(cls, folder: Path, run: Path) -> Resumed:
        """The run's training once more, killed with no chance to save anything, until the same command ended it."""
        cut = cls.beside(run, "cut") / "train"
        words = ("train", *cls.tiny("cut"), *cls.often)
        for _ in range(5):  # a tiny training may be over before it is killed
            if all(cls.killed(cls.start(folder, *words), cut, part) for part in cls.parts):
                break
            shutil.rmtree(cut)
        at = read(next(cls.unfinished(cut, cls.parts[-1])))["iteration"]
        return Resumed(cut, at, cls.wsss(folder, *words))

    def test_a_killed_training_goes_on_exactly(self, run: Path, resumed: Resumed) -> None:
        """It goes on from its last state, and leaves the same states, to the bit, and the same journals."""
        whole, cut = run / "train", resumed.folder
        assert f"goes on from iteration {resumed.iteration} of" in resumed.said
        made = sorted(path.relative_to(whole) for path in whole.rglob("checkpoint.pt"))
        assert made and [path for path in made if differences(read(whole / path), read(cut / path))] == []
        for path in sorted(path.relative_to(whole) for path in whole.rglob("metrics.jsonl")):
            assert journal(whole / path) == journal(cut / path), path

    def test_two_processes_are_nearly_one(self, folder: Path, run: Path) -> None:
        """Their weights differ by what the order of summation makes."""
        if self.like_one is None:
            pytest.skip("like_one names no settings")
        one, two = (self.beside(run, name) for name in ("one", "two"))
        self.wsss(folder, "train", *self.tiny("one"), *self.like_one)
        self.on_two(folder, "train", *self.tiny("two"), *self.like_one)
        weights = [checkpoint.load(at / "train" / "checkpoint.pt")["model"] for at in (one, two)]
        for name, value in weights[0].items():
            if "running" not in name:
                torch.testing.assert_close(value, weights[1][name], rtol=0, atol=self.tolerance, msg=name)

    @classmethod
    def wsss(cls, folder: Path, *words: str) -> str:
        """What the command prints; fails with all that it said if it does not end well."""
        done = subprocess.run(cls.command(words), cwd=folder, env=cls.variables(), capture_output=True, text=True)
        assert done.returncode == 0, f"wsss {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    @classmethod
    def start(cls, folder: Path, *words: str) -> Any:
        """The command as a process with `poll`, `kill` and `wait`."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(cls.command(words), cwd=folder, env=cls.variables(), stdout=quiet, stderr=quiet)

    @classmethod
    def on_two(cls, folder: Path, *words: str) -> str:
        """`wsss` on two processes."""
        return cls.wsss(folder, *words, "--procs", "2")

    @classmethod
    def killed(cls, process: Any, training: Path, part: str) -> bool:
        """Kill the process once a part of its training is under way; whether the part still was when it ended."""
        end = time.monotonic() + 300
        while not any(cls.unfinished(training, part)):
            if process.poll() is not None or time.monotonic() > end:
                break
            time.sleep(0.01)
        process.kill()
        return process.wait() == KILLED and any(cls.unfinished(training, part))

    @classmethod
    def unfinished(cls, training: Path, part: str) -> Iterator[Path]:
        """The states of trainings that have begun and are not at their end."""
        return (path for path in training.glob(f"{part}/checkpoint.pt") if cls.midway(read(path)))

    @classmethod
    def midway(cls, state: Mapping[str, Any]) -> bool:
        """Whether a training may be killed there."""
        return state.get("iteration", 0) > 0 and not state.get("done", True)

    @classmethod
    def beside(cls, run: Path, name: str) -> Path:
        """Another run, which has the first one's seeds and pseudo-labels."""
        for stage in ("seeds", "pseudo"):
            if (run / stage).exists():
                shutil.copytree(run / stage, run.parent / name / stage)
        return run.parent / name

    @classmethod
    def command(cls, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "wsss_cli", *words]

    @classmethod
    def variables(cls) -> dict[str, str]:
        return {**os.environ, **cls.env}

    @classmethod
    def tiny(cls, name: str = "default") -> tuple[str, ...]:
        """The words that name the method, the run and the recipe; no reader processes."""
        return (cls.method, "--name", name, "--recipe", "tiny.yaml", "--workers", "0")

    @classmethod
    def at(cls, folder: Path, name: str = "default") -> Path:
        """The folder of a run."""
        return next(folder.glob("runs/*/")) / cls.method / name

    @classmethod
    def data(cls, folder: Path) -> Prepared:
        return read_prepared(next((folder / "data").glob("*/dataset.yaml")).parent)


def stamps(folder: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def read(path: Path) -> dict[str, Any]:
    """A checkpoint; nothing of one that is replaced at this very moment."""
    try:
        return torch.load(path, weights_only=True)
    except (OSError, RuntimeError):
        return {}


def journal(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics.jsonl without their times."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def differences(first: Any, second: Any) -> list[str]:
    """The names of the leaves of two checkpoints that are not the same to the last bit; seconds are left out."""
    one, two = dict(leaves(first)), dict(leaves(second))
    assert one.keys() == two.keys()
    return [name for name, value in one.items() if not (name.endswith(".seconds") or equal(value, two[name]))]


def equal(first: Any, second: Any) -> bool:
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def leaves(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Whatever nested dictionaries and lists hold, by its path."""
    if isinstance(content, dict | list | tuple):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from leaves(value, f"{name}.{key}")
    else:
        yield name, content
