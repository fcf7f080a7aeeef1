"""Reports of iterations: looked at one late, and nothing told or kept after a loss that is not finite."""

import json
from pathlib import Path

import pytest
import torch

from wsss_cli.engine.reports import Journal, Late, Report, Reports
from wsss_cli.errors import WsssError


def report(k: int, *losses: float, rate: float | None = None, **scores: float) -> Report:
    return Report(k, ("a", "b"), Late(torch.tensor(losses)), {"data": 1.0, "forward": 2.0}, rate, scores)


def reports(path: Path, last: dict[str, float] | None = None) -> Reports:
    return Reports("train", Journal(path, 0), 4, last or {})


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_newest_waits_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    all_ = reports(path, {"a": 9.0, "seconds": 1.0})
    assert all_.note() == "loss 9"
    all_.add(report(1, 1, 2, rate=0.1))
    assert all_.last["a"] == 9 and lines(path) == []
    all_.add(report(2, 3, 4))
    assert all_.last == {"a": 1, "b": 2, "seconds": 3} and all_.note() == "loss 3"
    assert lines(path) == [
        {"iteration": 1, "epoch": 0.25, "lr": 0.1, "a": 1, "b": 2, "time": {"data": 1, "forward": 2}}
    ]
    all_.settle()
    all_.settle()
    assert all_.last["b"] == 4 and len(lines(path)) == 1  # of iteration 2 nothing is to be told


def test_scores_come_after_the_look_and_stand_in_the_same_line(tmp_path: Path) -> None:
    path, all_ = tmp_path / "metrics.jsonl", reports(tmp_path / "metrics.jsonl")
    newest = report(4, 1, 2, rate=0.1)
    all_.add(newest)
    all_.check()
    newest.scores = {"miou": 0.5}
    assert all_.last["a"] == 1 and lines(path) == []
    all_.settle()
    assert lines(path)[0]["miou"] == 0.5 and lines(path)[0]["a"] == 1
    all_.add(report(5, 1, 2, miou=0.6))
    all_.settle()
    assert lines(path)[1] == {"iteration": 5, "epoch": 1.25, "miou": 0.6}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_iteration_that_was_not_finite_is_named(tmp_path: Path, value: float) -> None:
    path, all_ = tmp_path / "metrics.jsonl", reports(tmp_path / "metrics.jsonl")
    for k, loss in enumerate((1, value, value, 1), 1):
        all_.add(report(k, loss, 2, rate=0.1))
        assert (all_.bad is not None) == (k > 2)
    with pytest.raises(WsssError, match=rf"train: the loss is not finite at iteration 2: a = {value}, b = 2.0"):
        all_.check()
    all_.settle()
    assert [row["iteration"] for row in lines(path)] == [1]


def test_the_newest_is_looked_at_before_anything_is_kept(tmp_path: Path) -> None:
    all_ = reports(tmp_path / "metrics.jsonl")
    all_.add(report(1, float("nan"), 2))
    assert all_.bad is None
    with pytest.raises(WsssError, match="iteration 1"):
        all_.check()


def test_of_several_ranks_the_first_iteration_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rank's own losses are not shared but at a line: it tells the others there."""
    every = [(7, {"a": float("nan")}), None, (6, {"a": float("inf")})]
    monkeypatch.setattr("wsss_cli.engine.reports.gather", lambda bad: every)
    with pytest.raises(WsssError, match="iteration 6: a = inf"):
        reports(tmp_path / "metrics.jsonl").check()
