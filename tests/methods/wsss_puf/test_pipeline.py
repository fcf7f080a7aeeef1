"""PUF through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from forked_tester import ForkedTester
from tiny_puf import RECIPE
from trained_run import load, rows


class TestPuf(ForkedTester):
    method = "puf"
    recipe = RECIPE
    like_one = ("net.drop_path=0", "optimiser.lr=0.0001", "loop.iterations=4")  # each rank draws its own paths
    tolerance = 1e-4

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after every stage was made and scored."""
        said = cls.wsss(folder, "pseudo", *cls.tiny())
        assert "12 images with tags, 6 iterations of 4 images in two views" in said
        for stage in ("seeds", "pseudo"):
            assert "mIoU" in cls.wsss(folder, "evaluate", "--stage", stage, "--workers", 0)
        said = cls.wsss(folder, "evaluate", "--workers", 0)
        assert ", weights student, no CRF; trained on image tags, effective batch 4;" in said
        return cls.at(folder)

    def test_what_the_stages_leave(self, run: Path) -> None:
        assert len(list((run / "seeds" / "cam").glob("*.npz"))) == 12
        for stage, n in (("pseudo", 12), ("infer", 6)):
            assert len(list((run / stage / "labels").glob("*.png"))) == n
        journal = rows(run / "train")
        assert [row["iteration"] for row in journal] == list(range(1, 7))
        assert [row["segmentation"] > 0 for row in journal] == [False] * 2 + [True] * 4
        assert all(np.isfinite(list(row["time"].values())).all() and row["class_distillation"] > 0 for row in journal)

    def test_the_state_holds_teacher_and_centres(self, run: Path) -> None:
        """So that a killed training goes on with them."""
        modules = load(run / "train")["modules"]
        assert modules.keys() == {"teacher", "centres"}
        assert modules["centres"]["classes"].any() and modules["centres"]["patches"].any()

    def test_student_and_teacher_differ(self, folder: Path, run: Path) -> None:
        student, teacher = load(run / "train")["model"], load(run / "train")["modules"]["teacher"]
        assert student.keys() == teacher.keys()
        assert not torch.equal(student["decoder.conv6.weight"], teacher["decoder.conv6.weight"])
        before = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
        words = ("--weights", "teacher", "--workers", 0, "--json")
        protocol = json.loads(self.wsss(folder, "evaluate", "puf", *words))["protocol"]
        assert protocol["weights"] == "teacher" and protocol["fusion"] == "sum_max"
        assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != before

    def test_no_class_that_the_tags_leave_out(self, folder: Path, run: Path) -> None:
        """Every tag of this network is less probable than the gate: what it predicts is background."""
        said = self.wsss(folder, "evaluate", "puf", "--set", "infer.gate=0.999", "--workers", 0, "--json")
        assert json.loads(said)["protocol"]["gate"] == 0.999
        maps = [np.array(Image.open(path)) for path in (run / "infer" / "labels").glob("*.png")]
        assert len(maps) == 6 and not any(map(np.any, maps))

    def test_what_does_not_fit_is_said(self, folder: Path, run: Path) -> None:
        said = self.failing(folder, "train", *self.tiny("bad"), "masking.block=20")
        assert "views.size 64 is no multiple of masking.block 20" in said
        assert "teacher" in self.failing(folder, "evaluate", "puf", "--weights", "pupil", "--workers", 0)
