"""What is judged of predictions without masks, with values that can be counted by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_run import METHOD
from wsss_cli.context import Context
from wsss_cli.data.certainty import NAME
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Original, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.metrics.agreement import average_precision
from wsss_cli.metrics.evaluate import Evaluate, evaluate
from wsss_cli.metrics.show import show
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.report.agreement import agreement_section
from wsss_cli.runs import read_record, write_record

CPU = Runtime(torch.device("cpu"))


@pytest.mark.parametrize(
    ("scores", "truth", "expected"),
    [
        ([0.9, 0.8, 0.1], [1, 1, 0], 1.0),
        ([0.9, 0.8, 0.1], [0, 0, 1], 1 / 3),
        ([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], (1 + 2 / 3) / 2),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 0.25),  # ties are taken together, whatever their order
        ([0.5, 0.5, 0.2], [0, 1, 1], (1 / 2 + 2 / 3) / 2),
        ([0.5, 0.4], [0, 0], None),
    ],
)
def test_average_precision(scores: list[float], truth: list[int], expected: float | None) -> None:
    found = average_precision(np.array(scores), np.array(truth, bool))
    assert found == (None if expected is None else pytest.approx(expected))


CAT, DOG = 1, 2


def sample(id: str, *tags: int, boxes: tuple[Box, ...] = ()) -> Sample:
    return Sample(id, Path(f"{id}.png"), 10, 10, tags, boxes, None, ("val",))


SAMPLES = (
    sample("a", CAT, boxes=(Box(CAT, 0, 0, 4, 4),)),  # half of the prediction within the box, which it spans
    sample("b", DOG, boxes=(Box(DOG, 0, 0, 10, 5),)),  # a cat is predicted
    sample("c"),  # nobody has tagged it
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with predictions of three images."""
    maps = {name: np.zeros((10, 10), np.uint8) for name in "abc"}
    maps["a"][:4, :8] = CAT
    maps["b"][:1, :2] = CAT
    maps["c"][:] = DOG
    for name, labels in maps.items():
        write_labels(tmp_path / "infer/labels" / f"{name}.png", labels)
    for name, peaks in (("a", [0.9, 0.3]), ("b", [0.8, 0.1]), ("c", [0.1, 0.9])):
        row = {"id": name, "certainty": 0.5, "peaks": peaks}
        with (tmp_path / "infer" / NAME).open("a") as file:
            file.write(json.dumps(row) + "\n")
    config = {"scales": [1.0], "flip": False, "fusion": "mean", "crf": False, "crf_settings": {}}
    record = {"status": "finished", "config": config, "data_hash": "", "inputs": {}, "metrics": {"split": "val"}}
    write_record(tmp_path / "infer", record | {"data": "pets"})
    return tmp_path


def data(*samples: Sample) -> Prepared:
    splits = {"train": "train", "val": "val", "seeds": "train"}
    return Prepared(Path(), DatasetInfo("pets", "folder", ("cat", "dog"), splits, "drawn"), samples or SAMPLES)


def job(run: Path, known: Prepared | None = None, **settings: Any) -> Job[Evaluate]:
    folder = run / "evaluate"
    folder.mkdir(exist_ok=True)
    return Job(known or data(), METHOD, "evaluate", Evaluate(**settings), folder, {"infer": run / "infer"}, CPU)


def rows(run: Path, known: Prepared | None = None, **settings: Any) -> dict[str, dict[str, Any]]:
    evaluate(job(run, known, **settings))
    report = json.loads((run / "evaluate/scores.json").read_text())
    assert report["scores"] == [] and report["images"] == 3
    return {row["name"]: row for row in report["agreement"]}


def test_what_is_judged_without_masks(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(run)
    shown = {name: (row["of"], round(row["value"], 4), row["images"], row["classes"]) for name, row in found.items()}
    assert shown == {
        "AP of tags": ("scores", 0.75, 2, {"cat": 1.0, "dog": 0.5}),
        "predicted, not tagged": ("prediction", 0.5, 2, {"cat": 0.5, "dog": None}),
        "tagged, not predicted": ("prediction", 0.5, 2, {"cat": 0.0, "dog": 1.0}),
        "within the boxes": ("prediction", round(16 / 34, 4), 2, {"cat": 16 / 34, "dog": None}),
        "boxes found": ("prediction", 0.5, 2, {"cat": 1.0, "dog": 0.0}),
    }
    assert found["AP of tags"]["says"].endswith("held-out tags")
    report = json.loads((run / "evaluate/scores.json").read_text())
    show(report)
    out = capsys.readouterr().out
    assert "without masks" in out and "75.0" in out
    html = agreement_section({"evaluate": report}, {"evaluate": ""})
    assert "Split val: what can be judged without masks" in html and "75.0" in html and "no CRF" in html
    assert agreement_section({"evaluate": {"scores": []}}, {"evaluate": ""}) == ""


def test_predictions_that_were_told_the_tags_are_not_judged_by_these(run: Path) -> None:
    """They agree with them whatever the network sees; what boxes say is as it was."""
    before = rows(run)
    record = read_record(run / "infer") or {}
    write_record(run / "infer", record | {"config": record["config"] | {"among": "tags"}})
    found = rows(run)
    assert found == {name: row for name, row in before.items() if name not in ("AP of tags", "predicted, not tagged")}


def test_photos_that_stages_see_smaller_are_judged_by_their_own_boxes(run: Path) -> None:
    halved = tuple(
        replace(s, width=5, height=5, boxes=_halved(s), original=Original(s.image, 10, 10, s.boxes)) for s in SAMPLES
    )
    assert rows(run, data(*halved)) == rows(run)


def _halved(s: Sample) -> tuple[Box, ...]:
    return tuple(Box(b.label, b.x0 // 2, b.y0 // 2, b.x1 // 2, b.y1 // 2) for b in s.boxes)


def test_the_agreement_of_two_runs(run: Path) -> None:
    other = run / "runs/pets/irn/other/infer/labels"
    for name in "abc":
        labels = np.zeros((10, 10), np.uint8)
        labels[:4, :4] = CAT if name == "a" else 0
        write_labels(other / f"{name}.png", labels)
    row = rows(run, against=str(other))["mIoU against pets/irn/other"]
    both = {"background": (68 + 98) / 284, "cat": 16 / 34, "dog": 0.0}
    assert row["classes"] == pytest.approx(both) and row["value"] == pytest.approx(sum(both.values()) / 3)
    (other / "c.png").unlink()
    with pytest.raises(WsssError, match=r"pets/irn/other has no prediction of 1 of 3 images, first c.png"):
        _refuse(run, data(), against=str(other))
    splits = {"": replace(data(), info=replace(data().info, classes=("cow", "dog"))).mark()}
    write_record(other.parent, {"status": "", "config": {}, "data_hash": "", "inputs": {}, "splits": splits})
    with pytest.raises(WsssError, match="pets/irn/other predicts other classes than those of 'pets'"):
        _refuse(run, data(), against=str(other))


def test_nothing_to_judge_by_is_told_before_anything_runs(run: Path) -> None:
    bare = data(*(replace(s, tags=(), boxes=()) for s in SAMPLES))
    with pytest.raises(WsssError, match="neither masks nor tags nor boxes"):
        _refuse(run, bare)
    _refuse(run, data())


def _refuse(run: Path, known: Prepared, **settings: Any) -> None:
    promised = {"infer": {"labels": [f"{name}.png" for name in "abc"]}}
    for problem in Evaluate(**settings).problems(Context(known, 1, {"infer": run / "infer"}, promised), "evaluate"):
        raise problem
