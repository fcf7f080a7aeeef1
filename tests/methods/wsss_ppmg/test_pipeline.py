"""PPMG through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wsss_ppmg.stages  # noqa: F401  so that each command, a fork of this process, need not import it
from forked_tester import ForkedTester
from trained_run import load, rows
from wsss_cli.cam.store import read_cam
from wsss_cli.config import merge
from wsss_cli.data.labels import read_labels
from wsss_cli.runs import read_record, write_record
from wsss_cli.testing import Resumed, differences

LOOP = {"epochs": 1, "batch": 4, "channels_last": True, "sync_bn": False}
SEAM = {"backbone": "test_resnet", "pretrained": "none", "output_stride": 16, "freeze_bn": False, "freeze": None}
TRAINING = {"resize_long": [56, 72], "crop": 64, "loop": LOOP, "optimiser": {"lr": 0.01, "momentum": 0.9}}
INFER = {"scales": [1.0, 1.5], "short_side": 48, "window": 48, "window_stride": 40}
RECIPE: dict[str, Any] = {
    "seeds": {
        "net": SEAM,
        "training": TRAINING,
        "grid": {"scales": [1.0, 1.5], "crop": 64, "stride": 40},
        "rough": {
            "net": {**SEAM, "dropout": 0.0},
            "training": TRAINING,
            "scales": [1.0],
            "sure": 0.5,
        },
    },
    "train": {
        "net": {"backbone": "test_resnet", "pretrained": "none", "width": 32},
        "augment": {"crop": 64, "short_side": 64},
        "loop": LOOP,
        "under_fitting": {"beta": 3.0, "k": 1.0},
        "cyclic": {"infer": INFER},
    },
    "infer": INFER,
}
BEST = {
    "train": {
        "selection": {"checkpoint": "best", "every": 1},
        "loop": {"epochs": 2},
        "cyclic": {"infer": {"crf": True}},
    }
}


class TestPpmg(ForkedTester):
    """Two rounds of training, in either of which it is killed; the best state of each is kept."""

    method = "ppmg"
    recipe = merge(RECIPE, BEST)
    parts = ("first", ".")

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after `wsss evaluate --train`, which makes everything that it needs, the cyclic round too."""
        said = cls.wsss(folder, "evaluate", "--train", *cls.tiny())
        for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
            assert f"{stage}: not made yet" in said
        for step in ("train rough_net", "rough masks", "train cam_net", "multi-crop CAMs", "pseudo-masks"):
            assert f"{step}: " in said
        assert "train, first round: 12 images, 6 iterations of 4 images, loss: clamp" in said
        assert "train, cyclic round: 12 images, 6 iterations of 4 images, loss: off" in said
        assert "short side 48, windows of 48, scales 1, 1.5 + flip" in said
        return cls.at(folder)

    def test_cams_are_of_the_tags(self, folder: Path, run: Path) -> None:
        """The lowest values become 0 before the lowest is subtracted, as released, so that some lie below 0."""
        for sample in self.data(folder).split("train"):
            cam = read_cam(run / "seeds" / "cam" / f"{sample.id}.npz")
            assert cam.class_ids.tolist() == list(sample.tags) and cam.cam.max() <= 1

    def test_artefacts_are_there_for_each_image(self, folder: Path, run: Path) -> None:
        for sample in self.data(folder).split("train"):
            size, name = (sample.height, sample.width), f"{sample.id}.png"
            rough = read_labels(run / "seeds" / "rough" / name)
            assert rough.shape == size and set(np.unique(rough)) <= {0, 255, *sample.tags}
            assert read_cam(run / "seeds" / "cam" / f"{sample.id}.npz").full().shape[1:] == size
            assert 255 not in read_labels(run / "pseudo" / "labels" / name)
            assert read_labels(run / "train" / "cyclic" / "labels_crf" / name).shape == size

    def test_both_rounds_are_recorded(self, run: Path) -> None:
        made = json.loads((run / "train" / "stage.json").read_text())["metrics"]
        assert {"main", "auxiliary", "first_main", "first_auxiliary"} <= made.keys()
        ends = {"train/first": 6, "train": 6, "seeds/rough_net": 3, "seeds/cam_net": 3}
        for folder, end in ends.items():
            last = rows(run / folder)[-1]
            assert last["iteration"] == end and all(np.isfinite(v) for v in last.values() if isinstance(v, float))
        assert {"cls", "rvmin", "er", "ecr"} <= rows(run / "seeds" / "cam_net")[-1].keys()
        assert differences(load(run / "train" / "first")["model"], load(run / "train")["model"])

    def test_the_best_states_are_kept(self, folder: Path, run: Path) -> None:
        assert (run / "train" / "best.pt").exists() and (run / "train" / "first" / "best.pt").exists()
        report = json.loads(self.wsss(folder, "evaluate", *self.tiny(), "--json"))
        best = max(row["miou"] for row in rows(run / "train") if "miou" in row)
        assert report["protocol"]["selection"] == f"best mIoU on split 'val', {100 * best:.1f} at one scale"

    def test_a_finished_round_is_not_trained_again(self, resumed: Resumed) -> None:
        assert "loss: off" in resumed.said and "train, first round: 12 images" not in resumed.said

    def test_seeds_resume_step_by_step(self, folder: Path, run: Path) -> None:
        """What is there is kept; the missing rough mask and CAM are made again, the same."""
        missing = [sorted((run / "seeds" / kind).iterdir())[2] for kind in ("rough", "cam")]
        before = [path.read_bytes() for path in missing]
        for path in missing:
            path.unlink()
        write_record(run / "seeds", (read_record(run / "seeds") or {}) | {"status": "interrupted"})
        said = self.wsss(folder, "seeds", *self.tiny())
        assert "rough masks: 1 of 1 images" in said and "multi-crop CAMs: 1 of 1 images" in said
        assert "train cam_net" not in said and "train rough_net" not in said
        assert [path.read_bytes() for path in missing] == before

    def test_scores_of_seeds(self, folder: Path, run: Path) -> None:
        scores = json.loads(self.wsss(folder, "evaluate", *self.tiny(), "--stage", "seeds", "--json"))
        assert scores["scores"][0]["name"] == "CAM" and scores["split"] == "train"

    def test_two_processes_on_ordinary_crops(self, folder: Path) -> None:
        """As for COCO: no rough masks, no cyclic round, CAMs at stride 4."""
        changes = ("seeds.samples=random_crop", "seeds.full=false", "train.cyclic.enabled=false", "train.loop.epochs=1")
        self.on_two(folder, "train", *self.tiny("two"), *(word for change in changes for word in ("--set", change)))
        two = self.at(folder, "two")
        cams = list((two / "seeds" / "cam").glob("*.npz"))
        assert len(cams) == len(list((two / "pseudo" / "labels").glob("*.png"))) == 12
        assert not (two / "seeds" / "rough").exists() and not (two / "train" / "first").exists()
        cam = read_cam(cams[0])
        assert cam.high_res is None and cam.cam.shape[1:] == tuple(n // 4 for n in cam.size)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                ("net.backbone=scalenet50", "net.pretrained=timm"),
                "there are no weights of 'scalenet50' that can be downloaded",
            ),
            (("training.checkpoint=voc12_s101_mc.pth",), "there is no file voc12_s101_mc.pth"),
            (("net.levels=[-3,-2,-1]",), "'seeds.net.levels'"),
            (("rough.sure=0.4",), "'seeds.rough.sure' = 0.4"),
        ],
    )
    def test_mistakes_are_named(self, folder: Path, changes: tuple[str, ...], message: str) -> None:
        said = self.failing(folder, "seeds", *self.tiny("bad"), "samples=random_crop", *changes)
        assert message in said
