"""IRN through every stage on generated data, by the command that a user types."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from processes import Result, Wsss
from trained_run import load
from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.runs import read_record, write_record


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def record(run: Path, stage: str) -> dict[str, Any]:
    return json.loads((run / stage / "stage.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after `wsss evaluate irn --crf`, which makes everything that it needs."""
    said = ok(wsss("evaluate", "irn", "--recipe", "tiny.yaml", "--crf", seconds=300))
    for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
        assert f"{stage}: not made yet" in said
    return wsss.folder / "runs/shapes/irn/default"


def test_every_stage_is_finished_and_says_how_it_was_made(run: Path) -> None:
    for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
        made = record(run, stage)
        assert made["status"] == "finished" and made["seconds"] >= 0 and made["versions"]["torch"]
        assert (run / stage / "config.yaml").exists() and (run / stage / "log.txt").exists()


def test_artefacts_are_there_for_each_image(wsss: Wsss, run: Path) -> None:
    lines = (wsss.folder / "data/shapes/samples.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in lines]
    for sample in samples:
        size = (sample["height"], sample["width"])
        if "train" in sample["splits"]:
            assert (run / "seeds" / "cam" / f"{sample['id']}.npz").exists()
            labels = read_labels(run / "pseudo" / "labels" / f"{sample['id']}.png")
            assert labels.shape == size and set(np.unique(labels)) <= {0, *sample["tags"]}
            confident = read_mask01(run / "pseudo" / "confidence" / f"{sample['id']}.png")
            kept = [int(confident[labels == c].sum()) == int((labels == c).sum() * 0.5) for c in np.unique(labels)]
            assert all(kept)
        else:
            for folder in ("labels", "labels_crf"):
                assert read_labels(run / "infer" / folder / f"{sample['id']}.png").shape == size


def test_instances_are_coco(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = COCO(str(run / "pseudo" / "instances" / "instances.json"))
    capsys.readouterr()
    assert len(coco.imgs) == 12 and coco.anns
    assert {a["category_id"] for a in coco.anns.values()} <= set(range(1, 7))


def test_scores_name_their_protocol(wsss: Wsss, run: Path) -> None:
    scores = json.loads(ok(wsss("evaluate", "--json")))
    assert [row["name"] for row in scores["scores"]] == ["prediction", "prediction + CRF"]
    assert scores["split"] == "val" and scores["images"] == 6 and scores["ground_truth"]
    assert scores["protocol"]["effective_batch"] == 4 and scores["protocol"]["crf"]["iterations"] == 10
    present = [v for v in scores["scores"][0]["iou"].values() if v is not None]
    assert scores["scores"][0]["miou"] == pytest.approx(np.mean(present))


@pytest.mark.parametrize(("stage", "name"), [("seeds", "CAM"), ("pseudo", "pseudo-label")])
def test_seeds_and_pseudo_labels_are_scored_alike(wsss: Wsss, run: Path, stage: str, name: str) -> None:
    scores = json.loads(ok(wsss("evaluate", "--stage", stage, "--json")))
    assert scores["scores"][0]["name"] == name and scores["split"] == "train"
    assert len(scores["sweep"]) == (60 if stage == "seeds" else 0)


def test_a_finished_run_is_left_alone(wsss: Wsss, run: Path) -> None:
    before = record(run, "train")["fingerprint"], (run / "train" / "checkpoint.pt").stat().st_mtime_ns
    assert "finished already" in ok(wsss("train", "irn"))
    assert before == (record(run, "train")["fingerprint"], (run / "train" / "checkpoint.pt").stat().st_mtime_ns)


def test_masks_train_the_upper_bound_without_pseudo_labels(wsss: Wsss) -> None:
    said = ok(wsss("evaluate", "irn", "--name", "masks", "--recipe", "tiny.yaml", "--set", "train.labels=masks"))
    assert "seeds" not in said and "trained on masks" in said
    assert not (wsss.folder / "runs/shapes/irn/masks/pseudo").exists()


def test_the_report_holds_both_runs(wsss: Wsss, run: Path) -> None:
    test_masks_train_the_upper_bound_without_pseudo_labels(wsss)
    ok(wsss("report", "irn", "--name", "default", "--compare", "irn/masks"))
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "prediction + CRF" in page and "masks" in page and "data:image/" in page


def test_pseudo_labels_resume_per_image(wsss: Wsss, run: Path) -> None:
    labels = sorted((run / "pseudo" / "labels").glob("*.png"))
    before = [p.read_bytes() for p in labels]
    labels[3].unlink()
    write_record(run / "pseudo", (read_record(run / "pseudo") or {}) | {"status": "interrupted"})
    assert "random walk: 1 of 1 images" in ok(wsss("pseudo", "irn"))
    assert [p.read_bytes() for p in labels] == before


def test_two_processes_make_the_same_seeds_and_labels(wsss: Wsss, run: Path) -> None:
    """Batch statistics differ between ranks, so here they are frozen and the rates are small."""
    frozen = ["--set", "seeds.net.freeze_bn=true", "--set", "seeds.training.optimiser.lr=0.0001"]
    for name, extra in (("one", []), ("two", ["--procs", 2])):
        ok(wsss("pseudo", "irn", "--name", name, "--recipe", "tiny.yaml", *frozen, *extra, seconds=300))
    one, two = (wsss.folder / "runs/shapes/irn" / name for name in ("one", "two"))
    assert record(two, "seeds")["machine"]["ranks"] == 2
    for path in sorted((one / "seeds" / "cam").glob("*.npz")):
        with np.load(path) as a, np.load(two / "seeds" / "cam" / path.name) as b:
            np.testing.assert_allclose(a["cam"], b["cam"], atol=5e-3)
    same = [
        (read_labels(p) == read_labels(two / "pseudo" / "labels" / p.name)).mean()
        for p in sorted((one / "pseudo" / "labels").glob("*.png"))
    ]
    assert len(same) == 12 and np.mean(same) > 0.98


def test_a_damaged_checkpoint_is_made_again(wsss: Wsss, run: Path) -> None:
    ok(wsss("infer", "irn"))  # whatever an earlier test made stale
    path = run / "train" / "checkpoint.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    said = ok(wsss("infer", "irn", "--force", seconds=300))
    assert "checkpoint.pt" in said and "damaged" in said
    assert load(run / "train")["model"].keys() and len(path.read_bytes()) > len(whole) // 2
    assert "finished already" in ok(wsss("train", "irn"))
