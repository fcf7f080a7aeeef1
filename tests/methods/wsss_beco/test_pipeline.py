"""BECO through every stage on generated data, by the command that a user types."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import wsss_beco.stages  # noqa: F401
import wsss_irn.stages  # noqa: F401  both here once, not in every fork of this process
from forked_tester import ForkedTester
from tiny_beco import RECIPE
from trained_run import load, rows
from wsss_cli.data.labels import read_mask01
from wsss_cli.testing import Resumed, differences


def losses(folder: Path) -> list[list[float]]:
    return [[row[name] for name in ("ce1", "ce2", "cot1", "cot2")] for row in rows(folder)]


class TestBeco(ForkedTester):
    """Batch statistics and dropout differ between ranks: for two to be as one the backbone's are frozen."""

    method = "beco"
    recipe = RECIPE
    like_one = ("net.freeze_bn=true", "optimiser.lr=0.0001", "optimiser.min_lr=0.00001", "loop.epochs=2")

    @classmethod
    def midway(cls, state: Mapping[str, Any]) -> bool:
        """Three iterations an epoch, the first epoch warms up: after it, and in the middle of an epoch."""
        return super().midway(state) and state["iteration"] > 3 and state["iteration"] % 3 > 0

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after `wsss evaluate --train --crf`."""
        said = cls.wsss(folder, "evaluate", "--train", *cls.tiny(), "--crf")
        assert "12 iterations, the first 3 mix offline" in said and "prediction + CRF" in said
        assert "effective batch 4, but the learning rate is meant for 16: keep loop.batch=16 and accumulate" in said
        return cls.at(folder)

    def test_what_the_stages_leave(self, run: Path) -> None:
        assert len(list((run / "pseudo" / "confidence").glob("*.png"))) == 12
        assert not (run / "pseudo" / "instances").exists()
        assert len(list((run / "infer" / "labels_crf").glob("*.png"))) == 6
        assert all(np.isfinite(row).all() and min(row) >= 0 for row in losses(run / "train"))

    def test_scores_name_the_protocol_and_the_network(self, folder: Path, run: Path) -> None:
        both = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
        settings = ("infer.protocol=512_multi_scale", "infer.resize=64", "infer.member=1", "infer.crf=false")
        words = (word for setting in settings for word in ("--set", setting))
        protocol = json.loads(self.wsss(folder, "evaluate", *self.tiny(), *words, "--json"))["protocol"]
        expected = {"resize": 64, "scales": [0.5, 0.75, 1.0, 1.25, 1.5], "fusion": "coarse_max", "member": "1"}
        assert {key: protocol[key] for key in expected} == expected
        assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != both

    def test_no_class_that_the_classifier_leaves_out(self, folder: Path, run: Path) -> None:
        self.wsss(folder, "infer", "beco", "--from", "default", "--name", "gated", "--set", "infer.gate=0.999999")
        maps = [np.array(Image.open(path)) for path in (run.with_name("gated") / "infer/labels").glob("*.png")]
        assert len(maps) == 6 and not any(map(np.any, maps))

    def test_a_run_that_has_pseudo_labels_makes_none(self, resumed: Resumed) -> None:
        assert "pseudo:" not in resumed.said

    def test_released_folders_can_be_used(self, folder: Path, run: Path) -> None:
        """As the authors' irn_pseudo_label and irn_mask: RGB masks of 0 and 255; some here are grey ones of 0 and 1."""
        (folder / "masks").mkdir()
        for i, path in enumerate((run / "pseudo" / "confidence").glob("*.png")):
            mask = read_mask01(path).astype(np.uint8)
            image = Image.fromarray(mask) if i % 3 == 0 else Image.fromarray(np.stack([255 * mask] * 3, 2))
            image.save(folder / "masks" / path.name)
        given = ("--pseudo", run / "pseudo" / "labels", "--confidence", folder / "masks")
        said = self.wsss(folder, "train", *self.tiny("released"), *given)
        assert "pseudo:" not in said and "seeds:" not in said
        assert differences(load(self.at(folder, "released") / "train"), load(run / "train")) == []

    def test_two_processes_are_nearly_one(self, folder: Path, run: Path) -> None:
        super().test_two_processes_are_nearly_one(folder, run)
        one, two = (self.at(folder, name) / "train" for name in ("one", "two"))
        assert len(losses(one)) == len(losses(two)) == 6
        said = "effective batch 4: ranks 2 x accumulated passes 1 x images 2"
        assert said in (two / "log.txt").read_text(encoding="utf-8")
        assert json.loads((two / "stage.json").read_text())["machine"]["ranks"] == 2

    def test_masks_that_are_not_there_are_named(self, folder: Path, run: Path) -> None:
        given = ("--pseudo", run / "pseudo" / "labels", "--confidence", folder)
        said = self.failing(folder, "train", *self.tiny("bad"), *given)
        assert f"{folder} holds no confidence mask for 12 images, first " in said
