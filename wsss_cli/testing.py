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
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import yaml

from wsss_cli.cam.store import read_cam
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.engine import checkpoint

KILLED = -9


class MethodTester:
    """Runs `wsss` as a user would, each command a process of its own, on generated pictures.

    method     its name
    recipe     settings with which a training takes seconds: {stage: {key: value}}
    source     the arguments of `wsss prepare`
    env        variables that the commands have beside those of the tests
    often      settings with which the stage `train` saves its state after every iteration
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
        """The run's folder, once `wsss evaluate` made every stage that it needs."""
        cls.wsss(folder, "evaluate", *cls.tiny())
        return cls.at(folder)

    def test_every_stage_is_made_and_scored(self, folder: Path, run: Path) -> None:
        """All stages finish, leave what they say, are not made again, and the prediction has a score."""
        scores = json.loads(self.wsss(folder, "evaluate", *self.tiny(), "--json"))
        assert all(0 <= row["miou"] <= 1 for row in scores["scores"]) and scores["images"] > 0
        planned = self.wsss(folder, "evaluate", *self.tiny(), "--dry-run").splitlines()
        assert planned and all(": finished ->" in line for line in planned), planned
        for line in planned:
            stage = line.partition(":")[0]
            record = json.loads((run / stage / "stage.json").read_text(encoding="utf-8"))
            assert record["status"] == "finished" and record["seconds"] >= 0, stage

    def test_label_maps_fit_their_images(self, folder: Path, run: Path) -> None:
        """Sizes are the images'; predictions know the data set's classes, pseudo-labels only those of the tags."""
        data = self.data(folder)
        tags = {sample.id: set(sample.tags) for sample in data.samples}
        sizes = {sample.id: (sample.height, sample.width) for sample in data.samples}
        assert list((run / "infer" / "labels").glob("*.png")), "stage infer left no label maps"
        for stage in ("seeds", "pseudo", "infer"):
            for path in (run / stage / "labels").glob("*.png"):
                labels = read_labels(path)
                classes = set(range(1, data.num_classes + 1)) if stage == "infer" else tags[path.stem]
                assert labels.shape == sizes[path.stem], path
                assert set(np.unique(labels).tolist()) <= {0, 255, *classes}, path

    def test_cams_are_of_the_tags(self, folder: Path, run: Path) -> None:
        """CAMs, where the method leaves any, lie in [0, 1] and are of classes that the image is tagged with."""
        tags = {sample.id: set(sample.tags) for sample in self.data(folder).samples}
        for path in (run / "seeds" / "cam").glob("*.npz"):
            cam = read_cam(path)
            assert set(cam.keys.tolist()) <= tags[path.stem] and 0 <= cam.cam.min() <= cam.cam.max() <= 1, path

    def test_a_killed_training_goes_on_exactly(self, folder: Path, run: Path) -> None:
        """Killed with no chance to save anything, the same command ends with the same weights, to the bit."""
        cut = self.beside(run, "cut") / "train"
        words = ("train", *self.tiny("cut"), *self.often)
        for _ in range(3):  # a tiny training may be over before it is killed
            if self.killed(self.start(folder, *words), cut):
                break
            shutil.rmtree(cut)
        assert "goes on from iteration" in self.wsss(folder, *words)
        made = sorted(path.relative_to(run / "train") for path in (run / "train").rglob("checkpoint.pt"))
        assert made and all(same(run / "train" / path, cut / path) for path in made)

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
    def on_two(cls, folder: Path, *words: str) -> None:
        """`wsss` on two processes."""
        cls.wsss(folder, *words, "--procs", "2")

    @classmethod
    def killed(cls, process: Any, training: Path) -> bool:
        """Kill the process once the folder of its training holds a state; whether it was still running then."""
        end = time.monotonic() + 300
        while not any(unfinished(path) for path in training.rglob("checkpoint.pt")):
            if process.poll() is not None or time.monotonic() > end:
                break
            time.sleep(0.01)
        process.kill()
        return process.wait() == KILLED

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


def unfinished(path: Path) -> bool:
    """Whether it is the state of a training that has begun and is not at its end."""
    try:
        content = torch.load(path, weights_only=True)
    except (OSError, RuntimeError):  # replaced at this very moment
        return False
    return content.get("iteration", 0) > 0 and not content.get("done", True)


def same(first: Path, second: Path) -> bool:
    """Whether two checkpoints hold the same networks, to the bit."""
    contents = [torch.load(path, weights_only=True) for path in (first, second)]
    one, two = ({key: value for part in ("model", "modules") for key, value in leaves(c.get(part))} for c in contents)
    return one.keys() == two.keys() and all(torch.equal(value, two[key]) for key, value in one.items())


def leaves(content: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of nested dictionaries, by its path."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, f"{name}.{key}")
    elif isinstance(content, torch.Tensor):
        yield name, content
