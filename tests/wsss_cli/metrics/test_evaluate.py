"""Settings of scores, and what is scored of what a stage leaves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from made_run import METHOD, drawn_data, finished_run
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.method import LABELS, REFINED, Artefact
from wsss_cli.metrics.confusion import summary
from wsss_cli.metrics.evaluate import CONFUSION, Evaluate, _of_image, label_maps
from wsss_cli.promises import Promises
from wsss_cli.runs import Run

SURE = Artefact("labels", "labels_sure", "sure parts")
PSEUDO = {"pseudo-label": "labels"}
BOTH = {"prediction": "labels", "prediction + CRF": "labels_crf"}


def test_thresholds_are_tried_in_order_each_once() -> None:
    """The sweep adds up from one to the next: out of order it gave another mean."""
    assert Evaluate(thresholds=(0.3, 0.1, 0.3)).thresholds == (0.1, 0.3)


@pytest.mark.parametrize(
    ("source", "writes", "promised", "there", "expected"),
    [
        ("pseudo", (LABELS, SURE), {"labels": ["a.png"]}, (), PSEUDO),
        ("pseudo", (LABELS, SURE), {"labels": ["a.png"]}, ("labels_sure",), PSEUDO),  # of another time
        (
            "pseudo",
            (LABELS, SURE),
            {"labels": ["a.png"], "labels_sure": ["a.png"]},
            (),
            PSEUDO | {"pseudo-label, sure parts": "labels_sure"},
        ),
        ("pseudo", (SURE,), {"labels_sure": ["a.png"]}, (), {"pseudo-label, sure parts": "labels_sure"}),
        ("pseudo", (LABELS, SURE), {}, ("labels",), PSEUDO),  # a plugin that promises nothing
        ("pseudo", (LABELS, REFINED), {}, (), PSEUDO),
        ("infer", (), {"labels": ["a.png"]}, ("labels_crf",), {"prediction": "labels"}),
        ("infer", (), {"labels": ["a.png"], "labels_crf": ["a.png"]}, (), BOTH),
    ],
)
def test_the_label_maps_that_a_stage_promised(
    tmp_path: Path,
    source: str,
    writes: tuple[Artefact, ...],
    promised: Promises,
    there: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    method = replace(METHOD, stages=tuple(replace(s, writes=writes) for s in METHOD.stages))
    none: Any = None
    job = Job(none, method, "evaluate", Evaluate(), tmp_path, {source: tmp_path}, none, {source: promised})
    assert label_maps(job, source) == {kind: tmp_path / name for kind, name in expected.items()}


def test_what_is_only_predicted_is_no_success() -> None:
    """A dog is seen beside the horse, of a few pixels: the image does not look better for that."""
    honest = torch.tensor([[90, 10, 0], [10, 90, 0], [0, 0, 0]])
    hallucinated = torch.tensor([[85, 10, 5], [10, 90, 0], [0, 0, 0]])
    sample = Sample("horse", Path("horse.jpg"), 20, 10, (1,))
    good, worse = (_of_image(sample, summary(matrix)) for matrix in (honest, hallucinated))
    assert worse["miou"] < 2 / 3 * good["miou"] + 0.01 and worse["iou"]["2"] == 0 and worse["truth"] == [0, 1]
    assert "2" not in good["iou"]


def test_what_scores_are_made_of_is_kept(tmp_path: Path) -> None:
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), drawn_data(tmp_path / "data"))
    folder = run.stage("evaluate")
    report = json.loads((folder / "scores.json").read_text())
    found = json.loads((folder / CONFUSION).read_text())
    assert list(found["matrices"]) == [row["name"] for row in report["scores"]]
    assert found["classes"][0] == "background" and len(found["classes"]) == 4
    for row in report["scores"]:
        matrix = torch.tensor(found["matrices"][row["name"]])  # (K, K + 1)
        right, truth, predicted = summary(matrix).double()
        assert list(row["recall"].values()) == pytest.approx((right / truth).tolist())
        assert list(row["precision"].values()) == pytest.approx((right / predicted).tolist())
    assert 0 < report["calibration"]["ece"] < 1
    pixels = sum(part["pixels"] for part in report["calibration"]["bins"])
    assert pixels == torch.tensor(found["matrices"]["prediction"]).sum()
    images = [json.loads(line) for line in (folder / "per_image.jsonl").read_text().splitlines()]
    assert len(images) == 12 and all(0 < image["certainty"] < 1 and "0" in image["iou"] for image in images)
