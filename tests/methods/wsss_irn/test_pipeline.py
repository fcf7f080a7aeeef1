"""IRN through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

import wsss_cli
import wsss_irn.stages  # noqa: F401  so that each command, a fork of this process, need not import it
from forked_tester import ForkedTester
from tiny_irn import RECIPE
from trained_run import load
from wsss_cli.cam.store import read_cam
from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.errors import WsssError
from wsss_cli.runs import Run, read_record, write_record


class TestIrn(ForkedTester):
    method = "irn"
    recipe = RECIPE

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after `wsss evaluate --train --crf`, which makes everything that it needs."""
        said = cls.wsss(folder, "evaluate", "--train", *cls.tiny(), "--crf")
        for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
            assert f"{stage}: not made yet" in said
        return cls.at(folder)

    def test_artefacts_are_there_for_each_image(self, folder: Path, run: Path) -> None:
        data = self.data(folder)
        for sample in data.split("train"):
            assert (run / "seeds" / "cam" / f"{sample.id}.npz").exists()
            labels = read_labels(run / "pseudo" / "labels" / f"{sample.id}.png")
            assert 255 not in labels
            confident = read_mask01(run / "pseudo" / "confidence" / f"{sample.id}.png")
            assert all(confident[labels == c].sum() == int((labels == c).sum() * 0.5) for c in np.unique(labels))
        for sample in data.split("val"):
            assert (run / "infer" / "labels_crf" / f"{sample.id}.png").exists()

    def test_instances_are_coco(self, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
        coco = COCO(str(run / "pseudo" / "instances" / "instances.json"))
        capsys.readouterr()
        assert len(coco.imgs) == 12 and coco.anns
        assert {a["category_id"] for a in coco.anns.values()} <= set(range(1, 7))

    def test_scores_name_their_protocol(self, folder: Path, run: Path) -> None:
        scores = self.scores(folder)
        assert [row["name"] for row in scores["scores"]] == ["prediction", "prediction + CRF"]
        assert scores["split"] == "val" and scores["images"] == 6 and scores["ground_truth"]
        assert scores["protocol"]["effective_batch"] == 4 and scores["protocol"]["crf"]["iterations"] == 10
        present = [v for v in scores["scores"][0]["iou"].values() if v is not None]
        assert scores["scores"][0]["miou"] == pytest.approx(np.mean(present))

    def test_no_class_that_the_classifier_leaves_out(
        self, folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every one is less probable than the gate: predictions are background, in the run, from Python, of photos."""
        gate, place = ("--set", "infer.gate=0.999999"), ("--name", "gated", "--from", "default", "--workers", 0)
        said = self.wsss(folder, "infer", "irn", *place, *gate)
        assert "infer: " in said and "gate" in said
        monkeypatch.chdir(folder)
        made = Run(Path("runs"), "shapes", "irn", "gated")
        maps = [read_labels(path) for path in (made.stage("infer") / "labels").iterdir()]
        assert len(maps) == 6 and not any(map(np.any, maps))
        photo = self.data(folder).split("val")[0].image
        network = wsss_cli.load_model(made)
        assert not network.predict(photo).labels.any()
        assert wsss_cli.load_model(made, settings={"gate": None}).predict(photo).labels.any()
        self.wsss(folder, "infer", "irn", "--name", "gated", "--images", photo, "-o", tmp_path / "out", "--workers", 0)
        assert not read_labels(next((tmp_path / "out/labels").iterdir())).any()
        words = ("export", "model", "irn", "--name", "gated", "--to", tmp_path / "model")
        assert "asks stage seeds of the run too, which is not exported" in self.failing(folder, *words)
        self.wsss(folder, *words, "--set", "infer.gate=null")
        assert wsss_cli.load_model(tmp_path / "model").predict(photo).labels.any()
        with pytest.raises(WsssError, match="which an exported network does not hold"):
            wsss_cli.load_model(tmp_path / "model", settings={"gate": 0.5})

    def test_no_class_but_the_tags(self, folder: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the network predicts is judged among the tags of each image, as from Python; the score says so."""
        place = ("--name", "tagged", "--from", "default", "--workers", 0)
        assert "among tags" in self.wsss(folder, "evaluate", "irn", *place, "--set", "infer.among=tags", "--crf")
        data, made = self.data(folder), self.at(folder, "tagged") / "infer"
        monkeypatch.chdir(folder)
        network = wsss_cli.load_model(Run(Path("runs"), "shapes", "irn", "tagged"))
        changed = 0
        for sample in data.split("val"):
            names = [data.info.classes[c - 1] for c in sample.tags]
            labels = read_labels(made / f"labels_crf/{sample.id}.png")
            assert (labels == network.predict(sample.image, tags=names).labels).all()
            assert set(np.unique(labels)) | set(np.unique(read_labels(made / f"labels/{sample.id}.png"))) <= {
                0,
                *sample.tags,
            }
            changed += (labels != read_labels(run / f"infer/labels_crf/{sample.id}.png")).any()
        assert changed

    @pytest.mark.parametrize(("stage", "name"), [("seeds", "CAM"), ("pseudo", "pseudo-label")])
    def test_seeds_and_pseudo_labels_are_scored_alike(self, folder: Path, run: Path, stage: str, name: str) -> None:
        scores = self.scores(folder, "--stage", stage)
        assert scores["scores"][0]["name"] == name and scores["split"] == "train"
        assert len(scores["sweep"]) == (90 if stage == "seeds" else 0)

    def test_the_swept_background_score_is_the_setting(self, folder: Path, run: Path) -> None:
        """Label maps of one background score and the sweep over that one alone have the same mIoU."""
        self.beside(run, "swept")
        words = (*self.tiny("swept"), "--stage", "pseudo", "--set", "evaluate.thresholds=[0.25]", "--json")
        scores = json.loads(self.wsss(folder, "evaluate", *words))
        found = scores["background"]
        assert found["miou"] == scores["scores"][0]["miou"] and (found["best"], found["now"]) == (0.25, 0.25)
        assert found["setting"] == "pseudo.walk.background"
        assert found["command"] == "wsss pseudo irn --data shapes --name swept walk.background=0.25"

    def test_masks_train_the_upper_bound_without_pseudo_labels(self, folder: Path, run: Path) -> None:
        """And the report holds both runs."""
        said = self.wsss(folder, "evaluate", "--train", *self.tiny("masks"), "--set", "train.labels=masks")
        assert "seeds" not in said and "trained on masks" in said
        assert not (self.at(folder, "masks") / "pseudo").exists()
        self.wsss(folder, "report", "irn", "--name", "default", "--compare", "irn/masks")
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "prediction + CRF" in page and "masks" in page and "data:image/" in page

    def test_pseudo_labels_resume_per_image(self, folder: Path, run: Path) -> None:
        labels = sorted((run / "pseudo" / "labels").glob("*.png"))
        before = [p.read_bytes() for p in labels]
        labels[3].unlink()
        write_record(run / "pseudo", (read_record(run / "pseudo") or {}) | {"status": "interrupted"})
        assert "pseudo-labels: 1 of 1 images" in self.wsss(folder, "pseudo", *self.tiny())
        assert [p.read_bytes() for p in labels] == before

    def test_two_processes_are_nearly_one(self, folder: Path, run: Path) -> None:
        """In seeds and labels. Batch statistics differ between ranks, so here they are frozen and the rates small."""
        frozen = ("--set", "seeds.net.freeze_bn=true", "--set", "seeds.training.optimiser.lr=0.0001")
        self.wsss(folder, "pseudo", *self.tiny("one"), *frozen)
        self.on_two(folder, "pseudo", *self.tiny("two"), *frozen)
        one, two = (self.at(folder, name) for name in ("one", "two"))
        assert json.loads((two / "seeds" / "stage.json").read_text())["machine"]["ranks"] == 2
        for path in (one / "seeds" / "cam").glob("*.npz"):
            cams = [read_cam(run / "seeds" / "cam" / path.name).cam for run in (one, two)]
            np.testing.assert_allclose(*cams, atol=5e-3)
        names = sorted(path.name for path in (one / "pseudo" / "labels").glob("*.png"))
        maps = [[read_labels(run / "pseudo" / "labels" / name) for run in (one, two)] for name in names]
        assert len(maps) == 12 and np.mean([(a == b).mean() for a, b in maps]) > 0.98

    def test_a_damaged_checkpoint_is_made_again(self, folder: Path, run: Path) -> None:
        self.wsss(folder, "infer", *self.tiny())  # whatever an earlier test made stale
        path = run / "train" / "checkpoint.pt"
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        said = self.wsss(folder, "infer", *self.tiny(), "--force")
        assert "checkpoint.pt" in said and "damaged" in said
        assert load(run / "train")["model"].keys() and len(path.read_bytes()) > len(whole) // 2
        assert "finished already" in self.wsss(folder, "train", *self.tiny())

    def scores(self, folder: Path, *words: str) -> dict[str, Any]:
        return json.loads(self.wsss(folder, "evaluate", *self.tiny(), *words, "--json"))
