"""Protocols: compared as a whole, older files read; and the convention of the mean, from the setting to the table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_run import METHOD, Infer, drawn_data
from wsss_cli.config import as_dict, completed
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.metrics.evaluate import Evaluate, evaluate
from wsss_cli.metrics.show import show
from wsss_cli.protocol import FACTS, MeanOver, Protocol
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.report.read import Row
from wsss_cli.report.scores import scores_section, upper_bounds
from wsss_cli.runs import Run

ALL = {key: field.default for key, field in Protocol.model_fields.items()}
MADE = ALL | {"labels": "pseudo", "scales": (1.0,), "crf": {"iterations": 10}, "network": {"backbone": "a"}}
MADE |= {"member": 1, "weights": None}
CHANGED = {
    "stage": "pseudo",
    "data": "other",
    "split": "train",
    "ground_truth": "other",
    "images": 7,
    "learnt_from": 5,
    "mean_over": "union",
    "data_long_side": 512,
    "thresholds": 60,
    "scales": (0.5, 1.0),
    "flip": True,
    "fusion": "max",
    "resize": 512,
    "resize_by": "torch",
    "rounding": "down",
    "short_side": 512,
    "long_side": 768,
    "window": 512,
    "window_stride": 341,
    "crf": {"iterations": 5},
    "network": {"backbone": "a", "normalise": "half"},
    "selection": "best",
    "member": 2,
    "weights": "teacher",
}


def row(protocol: dict[str, Any], name: str = "prediction + CRF", miou: float = 0.5, run: str = "irn/default") -> Row:
    described = Protocol(**protocol)
    facts = {key: getattr(described, key) for key in FACTS}
    report = facts | {"without_mask": 0, "protocol": described.written(), "sweep": []}
    scores = {"miou": miou, "pixel_accuracy": 0.5, "mean_accuracy": 0.5}
    return Row(name, run, scores, report)


def bounds_of(ours: dict[str, Any], bound: dict[str, Any], name: str = "prediction + CRF") -> list[str]:
    return upper_bounds([row(ours, name, 0.4), row(bound | {"labels": "masks"}, name, 0.5, "irn/masks")])


def test_every_setting_of_a_score_is_compared() -> None:
    assert set(CHANGED) >= ALL.keys() - {"labels", "effective_batch", "precision"}
    assert "reaches 80.0 %" in bounds_of(MADE, MADE | {"effective_batch": 8})[0]


@pytest.mark.parametrize("key", CHANGED)
def test_what_was_scored_otherwise_is_not_compared(key: str) -> None:
    assert bounds_of(MADE, MADE | {key: CHANGED[key]}) == []


def test_a_setting_that_is_not_used_is_one_that_an_older_version_did_not_have() -> None:
    assert bounds_of(MADE | {"among": None}, MADE) and not bounds_of(MADE | {"among": "tags"}, MADE)


def test_scores_of_images_that_were_learnt_from_say_so_and_are_compared_among_themselves() -> None:
    """Files of before do not say it: they are compared with what was learnt from none."""
    seen = MADE | {"images": 7, "learnt_from": 7}
    before = {key: value for key, value in seen.items() if key != "learnt_from"}
    told = "7 of 7 images were learnt from"
    assert Protocol(**seen).made().endswith(f"; {told}") and told in str(scores_section([row(seen)]))
    assert "learnt from" not in Protocol(**before).made() + Protocol(**seen | {"learnt_from": 0}).made()
    assert bounds_of(seen, seen) and bounds_of(before, seen | {"learnt_from": 0}) and not bounds_of(before, seen)


def test_the_crf_counts_for_what_it_refined_alone() -> None:
    assert bounds_of(MADE, MADE | {"crf": None}, "prediction")
    assert not bounds_of(MADE, MADE | {"crf": None}, "prediction + CRF")


OLDER: dict[str, Any] = {
    "stage": "infer", "method": "irn", "data": "d", "run": "default", "split": "val", "ground_truth": "masks",
    "images": 3, "without_mask": 0, "sweep": [],
    "protocol": {
        "scales": [1.0], "flip": False, "fusion": "mean", "resize": None, "member": None, "crf": None,
        "labels": "masks", "network": {"backbone": "a"}, "effective_batch": 8, "selection": "none: the last iteration",
    },
    "scores": [{"name": "prediction", "miou": 0.5, "pixel_accuracy": 0.6, "mean_accuracy": 0.7, "iou": {"a": 0.5}}],
}  # fmt: skip
"""scores.json as version 0.1 wrote it."""


def test_older_files_are_read_but_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    old = Protocol.read(OLDER)
    assert (old.split, old.images, old.scales, old.mean_over) == ("val", 3, (1.0,), "ground_truth")
    assert "a class that is only predicted is left out" in old.describe() and "trained on masks" in old.describe()
    assert not old.comparable(old)  # it does not say in which windows images were seen
    assert "masks (full supervision)" in str(scores_section([Row("prediction", "irn/x", OLDER["scores"][0], OLDER)]))
    show(OLDER)
    swept = Protocol.read(OLDER | {"stage": "seeds", "sweep": [{}] * 60, "protocol": {"selection": "none"}})
    assert "best of 60" in swept.describe()


def test_a_damaged_file_is_one_error() -> None:
    with pytest.raises(WsssError, match=r"scores\.json is damaged"):
        Protocol.read(OLDER | {"protocol": {"scales": "wide"}})


def test_an_older_evaluation_is_made_again_by_the_convention_of_today() -> None:
    old = {key: value for key, value in as_dict(Evaluate()).items() if key != "mean_over"}
    assert completed(Evaluate, old)["mean_over"] == "ground_truth" != Evaluate().mean_over
    assert completed(Evaluate, old | {"mean_over": "union"})["mean_over"] == "union"


@pytest.mark.parametrize(("mean_over", "share"), [("union", 1 / 3), ("ground_truth", 1 / 2)])
def test_the_mean_is_the_settings(tmp_path: Path, mean_over: MeanOver, share: float) -> None:
    """Half of the background and half of a disc are taken for a class that no mask has."""
    data = drawn_data(tmp_path / "data")
    run = Run(tmp_path, "toy", "irn", "default")
    sample = next(s for s in data.split("val") if s.mask)
    one = replace(sample, mask=tmp_path / "mask.png", width=4, height=1)
    write_labels(tmp_path / "mask.png", np.array([[0, 0, 1, 1]], np.uint8))
    write_labels(run.stage("infer") / "labels" / f"{one.id}.png", np.array([[0, 3, 1, 3]], np.uint8))
    record = {"config": as_dict(Infer(crf=False)), "metrics": {"split": "val"}, "inputs": {}}
    (run.stage("infer") / "stage.json").write_text(json.dumps(record | {"status": "finished", "data_hash": ""}))
    few = Prepared(data.folder, data.info, (one,))
    config, folder = Evaluate(mean_over=mean_over), run.stage("evaluate")
    folder.mkdir()
    found = evaluate(
        Job(few, METHOD, "evaluate", config, folder, {"infer": run.stage("infer")}, Runtime(torch.device("cpu")))
    )
    report = json.loads((folder / "scores.json").read_text())
    assert found["prediction"] == pytest.approx(share) and report["protocol"]["mean_over"] == mean_over
    assert (report["scores"][0]["iou"][data.info.classes[2]] is None) == (mean_over == "ground_truth")
    assert json.loads((folder / "per_image.jsonl").read_text())["miou"] == pytest.approx(1 / 3)  # in both
    assert Protocol.read(report).describe().endswith("counts as 0" if mean_over == "union" else "is left out")
