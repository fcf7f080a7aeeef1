"""ToCo through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path

import numpy as np
import pytest

from forked_tester import ForkedTester
from tiny_toco import RECIPE
from trained_run import load, rows
from wsss_cli.data.labels import read_labels

NAMES = ("classification", "auxiliary", "patch_contrast", "class_contrast", "segmentation", "energy")


class TestToCo(ForkedTester):
    method = "toco"
    recipe = RECIPE
    like_one = ("train.loop.iterations=5",)
    tolerance = 2e-3

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after one process trained it and every stage was scored."""
        said = cls.wsss(folder, "train", *cls.tiny())
        assert "12 images with tags, 9 iterations of 4 images" in said and "next: wsss seeds" in said
        assert "trained on image tags" in cls.wsss(folder, "evaluate", "--crf", "--workers", 0)
        assert "pseudo-label" in cls.wsss(folder, "evaluate", "--stage", "pseudo", "--workers", 0)
        cls.wsss(folder, "evaluate", "--stage", "seeds", "--workers", 0)
        return cls.at(folder)

    def test_what_the_stages_leave(self, run: Path) -> None:
        for folder in ("labels", "labels_crf"):
            assert len(list((run / "infer" / folder).glob("*.png"))) == 6
        protocol = json.loads((run / "evaluate" / "scores.json").read_text())["protocol"]
        assert (protocol["fusion"], protocol["flip"], protocol["scales"]) == ("sum_max", True, [1.0, 1.25])
        cams = list((run / "seeds" / "cam").glob("*.npz"))
        labels = list((run / "pseudo" / "labels").glob("*.png"))
        assert len(cams) == len(labels) == 12 and any((read_labels(path) == 255).any() for path in labels)

    def test_losses_begin_when_they_are_to(self, run: Path) -> None:
        found = np.array([[row[name] for name in NAMES] for row in rows(run / "train")])
        assert np.isfinite(found).all() and len(found) == 9
        assert (found[:3, 4:] == 0).all() and (found[3:, 4] > 0).all() and (found[3:, 5] < 0).all()
        assert (found[:, 2:4] > 0).all()
        assert load(run / "train")["modules"].keys() == {"teacher"}

    def test_a_second_network_learns_from_its_labels(self, folder: Path, run: Path) -> None:
        net = ("net.backbone=test_resnet", "net.pretrained=none", "net.width=16", "net.aspp_rates=[1,2]")
        short = ("augment.crop=64", "loop.batch=4", "loop.epochs=0.3", "--workers", 0)
        said = self.wsss(folder, "train", "irn", "--pseudo", run, *net, *short)
        assert "12 images" in said and "seeds:" not in said

    @pytest.mark.parametrize("setting", ["seeds.source=inner", "seeds.source=segmentation", "pseudo.refine=crf"])
    def test_other_sources_and_refinements(self, folder: Path, run: Path, setting: str) -> None:
        before = [path.read_bytes() for path in sorted((run / "pseudo" / "labels").glob("*.png"))]
        self.wsss(folder, "pseudo", "toco", "--set", setting, "--workers", 0)
        assert [path.read_bytes() for path in sorted((run / "pseudo" / "labels").glob("*.png"))] != before

    def test_crops_that_do_not_fit(self, folder: Path) -> None:
        said = self.failing(folder, "train", *self.tiny("bad"), "local.size=64")
        assert "local.size 64 leaves no room for 3 crops in views.crop 64" in said
