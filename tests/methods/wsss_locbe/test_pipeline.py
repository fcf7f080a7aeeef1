"""LOC-BE through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path

import numpy as np
import pytest

from forked_tester import ForkedTester
from tiny_locbe import RECIPE
from trained_run import rows
from wsss_cli.data.labels import read_labels

LOSSES = ("classification", "auxiliary", "boundary", "patch_contrast", "local", "segmentation", "energy")


class TestLocBe(ForkedTester):
    method = "locbe"
    recipe = RECIPE
    like_one = ()

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after its training, its CAMs and pseudo-labels, and the scores of its predictions."""
        assert "12 images with tags, 8 iterations of 4 images" in cls.wsss(folder, "pseudo", *cls.tiny())
        cls.wsss(folder, "evaluate", "--workers", 0)
        return cls.at(folder)

    def test_what_the_stages_leave(self, run: Path) -> None:
        for found in ((run / "seeds" / "cam").glob("*.npz"), (run / "pseudo" / "labels").glob("*.png")):
            assert len(list(found)) == 12
        maps = [read_labels(path) for path in (run / "infer" / "labels").glob("*.png")]
        assert len(maps) == 6 and all(labels.max() <= 3 for labels in maps)

    def test_losses_begin_when_they_are_to(self, run: Path) -> None:
        found = np.array([[row[name] for name in LOSSES] for row in rows(run / "train")])
        assert np.isfinite(found).all() and len(found) == 8
        assert (found[:2, 2:] == 0).all() and (found[2:, 2] > 0).all() and (found[:4, 4:] == 0).all()
        assert (found[4:, 5] > 0).all() and (found[4:, 6] < 0).all()

    def test_coco_fusion_predicts_otherwise(self, folder: Path, run: Path) -> None:
        before = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
        fusion = ("infer.fusion=max_sum", "infer.scales=[1,1.25,1.5]", "infer.resize=56")
        words = [word for setting in fusion for word in ("--set", setting)]
        protocol = json.loads(self.wsss(folder, "evaluate", "locbe", *words, "--workers", 0, "--json"))["protocol"]
        assert (protocol["fusion"], protocol["resize"], protocol["scales"]) == ("max_sum", 56, [1, 1.25, 1.5])
        assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != before

    def test_what_cannot_work_is_named(self, folder: Path) -> None:
        said = self.failing(folder, "train", *self.tiny("bad"), "phases=[{until: 5}]")
        assert "give each phase a larger `until`" in said
