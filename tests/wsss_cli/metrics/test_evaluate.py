"""Settings of scores, and what is scored of what a stage leaves."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from made_run import METHOD
from wsss_cli.job import Job
from wsss_cli.method import LABELS, REFINED, Artefact
from wsss_cli.metrics.evaluate import Evaluate, label_maps
from wsss_cli.promises import Promises

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
