"""BCM through every stage on generated data, by the command that a user types."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import wsss_bcm.training  # noqa: F401  so that each command, a fork of this process, need not import it
from forked_tester import ForkedTester
from trained_run import load, rows
from wsss_cli.config import merge
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import write_prepared
from wsss_cli.testing import Resumed, differences

LOOP = {"epochs": 1, "batch": 4, "accumulate": 2, "channels_last": True, "log_every": 1}
PHASE = {"rates": {"lr": 0.01, "head_factor": 2.0, "bias_factor": 4.0}, "loop": LOOP}
RECIPE: dict[str, Any] = {
    "train": {
        "net": {
            "backbone": "test_resnet",
            "pretrained": "none",
            "output_stride": 8,
            "aspp_rates": [1, 2],
            "freeze_bn": False,
        },
        "crop": {"size": 49, "scales": [0.75, 1.0]},
        "base": PHASE,
        "bcm": PHASE,
        "fr": PHASE,
    },
}
TINY = ("--recipe", "tiny.yaml", "--workers", 0)


class TestBcm(ForkedTester):
    """Three phases, in the first and the last of which it is killed."""

    method = "bcm"
    recipe = merge(RECIPE, {"train": {"fr_mode": "intended"}})
    often = tuple(f"--set=train.{phase}.loop.save_minutes=0" for phase in ("base", "bcm", "fr"))
    parts = ("base", "fr")
    of_tags = ("seeds",)  # pseudo-labels are the network's

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after `wsss evaluate --train --instances` and `wsss evaluate --crf`, which make what they need."""
        said = cls.wsss(folder, "evaluate", "--train", *cls.tiny(), "--instances")
        for text in (
            "base: 3 iterations of 4 images in 2 pass(es)",
            "instance labels: ",
            "AP50",
            "true objects: the data set's",
            "seeds where unsure",
        ):
            assert text in said
        said = cls.wsss(folder, "evaluate", *cls.tiny(), "--crf")
        assert "prediction + CRF" in said and "trained on seeds, effective batch 4;" in said
        return cls.at(folder)

    def test_what_the_stages_leave(self, run: Path) -> None:
        assert json.loads((run / "evaluate-pseudo" / "stage.json").read_text())["status"] == "finished"
        for name in ("seeds/labels", "pseudo/labels", "pseudo/labels_prob"):
            assert len(list((run / name).glob("*.png"))) == 12
        assert len(list((run / "infer/labels_crf").glob("*.png"))) == 6
        assert set(load(run / "train")) == {"meta", "model", "rng"} and load(run / "train")["meta"]["phase"] == "fr"
        for phase in ("base", "bcm", "fr"):
            terms = {key for key in rows(run / "train" / phase)[0] if key.startswith(("ce", "mask"))}
            assert terms == {"ce_image", "ce_scale1", "ce_scale2", "ce_max"} | ({"mask"} if phase != "base" else set())

    def test_phases_follow_each_other(self, run: Path) -> None:
        """The masking branch is new in bcm, and no phase leaves the weights of the one before as they were."""
        models = {phase: load(run / "train" / phase)["model"] for phase in ("base", "bcm", "fr")}
        assert {key.removeprefix("net.") for key in models["base"]} | {"bcm.weight", "bcm.bias"} == set(models["bcm"])
        assert differences(models["bcm"], models["fr"]) and set(models["bcm"]) == set(models["fr"])
        assert differences(load(run / "train")["model"], models["fr"]) == []

    def test_finished_phases_are_not_trained_again(self, resumed: Resumed) -> None:
        assert "base: finished already" in resumed.said

    def test_pseudo_labels_and_filling_rates(self, run: Path) -> None:
        seeds, labels, mixed = (
            {p.stem: read_labels(p) for p in (run / name).glob("*.png")}
            for name in ("seeds/labels", "pseudo/labels", "pseudo/labels_prob")
        )
        for id in labels:
            assert (labels[id] <= 6).all() and ((mixed[id] == seeds[id]) | (mixed[id] == labels[id])).all()
        rates = json.loads((run / "seeds/filling_rates.json").read_text())
        assert set(rates) == {"per_box", "pooled", "boxes"} and all(0 <= r <= 1 for r in rates["per_box"].values())

    def test_instances_are_one_for_each_box(self, folder: Path, run: Path) -> None:
        content = json.loads((run / "pseudo/instances/instances.json").read_text())
        samples = self.data(folder).samples
        boxes = {s.id: [[b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0] for b in s.boxes] for s in samples}
        for image in content["images"]:
            found = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
            assert found == boxes[image["sample"]]
        scores = json.loads((run / "evaluate-pseudo/scores.json").read_text())["instances"]
        assert scores["images"] == 12 and scores["objects"] == scores["instances"] == len(content["annotations"])
        assert 0 < scores["means"]["ABO"] < 1

    def test_seeds_are_scored_and_reported(self, folder: Path, run: Path) -> None:
        scores = json.loads(self.wsss(folder, "evaluate", *self.tiny(), "--stage", "seeds", "--json"))
        assert [row["name"] for row in scores["scores"]] == ["seed"] and scores["scores"][0]["miou"] > 0.5
        assert 0 < scores["scores"][0]["ignored"] < 1
        self.wsss(folder, "report", "bcm", "--name", "default")
        page = next(run.rglob("*.html")).read_text()
        assert "seed of train_00000" in page and "Instance labels, Split train" in page and "ABO, %" in page

    @pytest.mark.parametrize(
        "words",
        [
            ("fr_mode=topk", "base.enabled=false", "fr.enabled=false", "label_resize=single"),
            ("fr_mode=off", "bcm.enabled=false", "fr.enabled=false", "scales=[]"),
        ],
    )
    def test_other_ways(self, folder: Path, words: tuple[str, ...]) -> None:
        name = words[0].partition("=")[2]
        rle = ("pseudo.confident=null", "pseudo.instances.shape=rle", "pseudo.clip=true")
        settings = (word for setting in rle for word in ("--set", setting))
        said = self.wsss(folder, "train", *self.tiny(name), "labels=masks", *words, *settings)
        assert "seeds:" not in said
        self.wsss(folder, "pseudo", "bcm", "--name", name, "--workers", 0)
        made = self.at(folder, name) / "pseudo"
        assert not (made / "labels_prob").exists() and len(list((made / "labels").glob("*.png"))) == 12

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (
                ("train", "bcm", "labels=masks", "fr_mode=topk", "filling_rates=official"),
                "VOC's 20 classes, the data set has 6",
            ),
            (("train", "bcm", "labels=masks", "boxes=nowhere"), "train.boxes: there is no folder nowhere"),
            (
                ("train", "bcm", "labels=masks", "base.enabled=false", "bcm.enabled=false", "fr.enabled=false"),
                "all disabled",
            ),
            (("evaluate", "bcm", "--instances", "--stage", "infer"), "stage infer has no instance labels"),
        ],
    )
    def test_other_mistakes_are_named(self, folder: Path, words: tuple[str, ...], message: str) -> None:
        said = self.failing(folder, *words, *TINY, "--name", "bad")
        assert message in said

    def test_data_without_boxes_is_told_once(self, folder: Path) -> None:
        shapes = self.data(folder)
        write_prepared(
            folder / "data" / "tags", replace(shapes.info, name="tags"), (replace(s, boxes=()) for s in shapes.samples)
        )
        for words in (("seeds",), ("train", "labels=masks")):
            said = self.failing(folder, words[0], "bcm", *words[1:], "--data", "tags", "--recipe", "tiny.yaml")
            assert "data set 'tags' has no boxes in split 'train', and bcm learns" in said
