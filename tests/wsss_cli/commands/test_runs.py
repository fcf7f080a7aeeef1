"""`wsss runs`: what is listed, how two runs differ, what is removed, and what is not."""

import errno
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from made_run import drawn_data, finished_run, reseal
from processes import Wsss
from wsss_cli.commands.runs import _listed
from wsss_cli.data.prepared import read_prepared, write_prepared
from wsss_cli.report.differences import differences
from wsss_cli.report.read import stage_records
from wsss_cli.runs import Run, Settings, read_record, write_record


def record(
    config: dict[str, object], method: str = "toy", status: str = "finished", hour: int = 1
) -> dict[str, object]:
    started = f"2026-01-01T{hour:02}:00:00+00:00"
    head = {
        "status": "finished",
        "method": method,
        "stage": "train",
        "data_hash": "1",
        "inputs": {},
        "input_folders": {},
    }
    return head | {"config": config, "started": started, "seconds": 90.0, "fingerprint": "f"}


@pytest.fixture
def runs(wsss: Wsss) -> Path:
    """Runs toy/a and toy/b of one data set, toy/a of another; their networks differ in width."""
    for hour, (data, name) in enumerate([("dots", "a"), ("dots", "b"), ("rings", "a")], start=1):
        run = Run(wsss.folder / "runs", data, "toy", name)
        run.save_settings(Settings(None, {"train": {"net": {"width": hour}}}))
        write_record(run.stage("train"), record({"net": {"width": hour}, "lr": 0.1}, hour=hour))
    return wsss.folder / "runs"


def test_the_last_one_is_listed_first(wsss: Wsss, runs: Path) -> None:
    (runs / "dots/toy/b/train/stage.json").write_text("{")
    listed = wsss("runs")
    assert listed.code == 0
    names = [line.split("│")[1].strip() for line in listed.out.splitlines() if "/toy/" in line]
    assert names == ["rings/toy/a", "dots/toy/a", "dots/toy/b"] and "is damaged" in " ".join(listed.out.split())


def test_nothing_to_list(wsss: Wsss) -> None:
    assert "there is no run in none" in wsss("runs", "--runs-root", "none").out


def test_one_is_shown(wsss: Wsss, runs: Path) -> None:
    shown = wsss("runs", "show", "toy/b").out
    assert "1 min 30 s" in shown and "set: train.net.width=2" in shown


def test_what_differs(wsss: Wsss, runs: Path) -> None:
    shown = wsss("runs", "compare", "dots/toy/a", "toy/b").out
    (line,) = [line for line in shown.splitlines() if "train." in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["train.net.width", "1", "2"]


def test_scores_of_what_the_run_has_made_again_are_told_to_be_so(wsss: Wsss) -> None:
    """Beside the settings of its new training stood the score of the one before."""
    data = drawn_data(wsss.folder / "toy")
    old, _ = [finished_run(Run(wsss.folder / "runs", "toy", "irn", name), data) for name in ("old", "new")]
    again = read_record(old.stage("train")) or {}
    write_record(old.stage("train"), again | {"started": "2999-01-02T04:00:00+00:00", "fingerprint": "other"})
    shown = {name: wsss("runs", "show", f"irn/{name}").out.splitlines() for name in ("old", "new")}
    late = {name: [line.partition(":")[0] for line in lines if "out of date" in line] for name, lines in shown.items()}
    assert late == {"old": ["prediction", "prediction + CRF"], "new": []}
    assert any(line.endswith("out of date: train has run again since") for line in shown["old"])
    compared = [line.strip("│").split("│") for line in wsss("runs", "compare", "irn/old", "irn/new").out.splitlines()]
    cells = {cell[0].strip(): [c.strip() for c in cell[1:]] for cell in compared if "mIoU" in cell[0]}
    before, now = cells["mIoU, %: prediction (val)"]
    assert before == f"{now} (out of date)" and len(set(cells["mIoU, %: pseudo-label (train)"])) == 1
    assert " ".join(wsss("runs").out.split()).count("out of date") == 1


def test_scores_on_other_data_are_not_shown_as_comparable(wsss: Wsss) -> None:
    """The data set was prepared anew between them: with another draw of the splits, or with corrected masks."""
    data = drawn_data(wsss.folder / "toy")
    for name, mark in (("first", "a1"), ("second", "b2")):
        run = finished_run(Run(wsss.folder / "runs", "toy", "irn", name), data)
        for stage, splits in (("evaluate", {"val": mark}), ("evaluate-pseudo", {"train": "same"})):
            write_record(run.stage(stage), (read_record(run.stage(stage)) or {}) | {"splits": splits})
    compared = " ".join(re.sub("[│]", " ", wsss("runs", "compare", "irn/first", "irn/second").out).split())
    assert compared.count("prediction (val), data differ") == 1
    assert "pseudo-label (train)" in compared and "(train), data" not in compared


def test_scores_of_a_data_set_as_it_was_are_told_to_be_so(wsss: Wsss) -> None:
    """Of another draw of the validation split; what is of the training split alone still stands."""
    data = drawn_data(wsss.folder / "toy")
    write_prepared(wsss.folder / "data/toy", data.info, data.samples)
    data = read_prepared(wsss.folder / "data/toy")
    run = finished_run(Run(wsss.folder / "runs", "toy", "irn", "default"), data)
    for stage, made in stage_records(run).items():
        split = "val" if stage in ("infer", "evaluate") else "train"
        write_record(run.stage(stage), made | {"splits": {split: data.mark(split)}})
    listed, shown = ("runs",), ("runs", "show", "irn/default")
    assert not any("out of date" in wsss(*words).out for words in (listed, shown))
    fewer = [sample for sample in data.samples if sample is not data.split("val")[0]]
    write_prepared(wsss.folder / "data/toy", data.info, fewer)
    late = [line for line in wsss(*shown).out.splitlines() if "out of date" in line]
    assert [line.partition(":")[0] for line in late] == ["prediction", "prediction + CRF"]
    assert all(line.endswith("out of date: split 'val' of the data set has changed since") for line in late)
    assert "out of date" in wsss(*listed).out
    (wsss.folder / "data/toy/dataset.yaml").write_text("{")  # whether a damaged one has changed is not known
    assert "out of date" not in wsss(*listed).out


def test_the_score_of_a_run_is_that_of_its_predictions_whatever_was_scored_last(tmp_path: Path) -> None:
    """On the validation split; where there is none of it the split is named."""
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), drawn_data(tmp_path / "data"))
    usual, other = run.stage("evaluate"), run.stage("evaluate-train")
    report = json.loads((usual / "scores.json").read_text())
    found = f"{100 * report['scores'][-1]['miou']:.1f} prediction + CRF"
    shutil.copytree(usual, other)
    scored = [{"name": "prediction", "miou": 0.987}]
    (other / "scores.json").write_text(json.dumps(report | {"split": "train", "scores": scored}))
    reseal(other)
    for second, last in enumerate(("evaluate-train", "evaluate-seeds", "evaluate-pseudo", "evaluate-train")):
        started = f"2999-01-01T00:00:0{second}+00:00"
        write_record(run.stage(last), (read_record(run.stage(last)) or {}) | {"started": started})
        assert _listed(run)[2] == found
    shutil.rmtree(usual)
    assert _listed(run)[2] == "98.7 prediction (train)"
    judged = {"name": "tags found", "of": "prediction", "value": 0.5}
    (other / "scores.json").write_text(json.dumps(report | {"split": "train", "scores": [], "agreement": [judged]}))
    reseal(other)
    assert re.fullmatch(r"\d+\.\d pseudo-label \(train\)", _listed(run)[2])
    for stage in ("seeds", "pseudo"):
        shutil.rmtree(run.stage(f"evaluate-{stage}"))
    assert _listed(run)[2] == "(50.0 tags found (train))"


def test_scores_of_images_that_were_learnt_from_are_told_to_be_so(wsss: Wsss) -> None:
    run = finished_run(Run(wsss.folder / "runs", "toy", "irn", "seen"), drawn_data(wsss.folder / "toy"))
    shutil.copytree(run.folder, run.folder.with_name("fair"))
    path = run.stage("evaluate") / "scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"learnt_from": 12}))
    reseal(path.parent)
    seen = "12 of 12 images were learnt from"
    assert _listed(run)[2].endswith(f" ({seen}) prediction + CRF")
    assert wsss("runs", "show", "irn/seen").out.count(f" % on split val, {seen}\n") == 2
    assert wsss("runs", "compare", "irn/seen", "irn/fair").out.count("(12 of 12 images") == 2  # folded there


def test_differences_of_stages_and_methods() -> None:
    a = {"seeds": record({}), "train": record({"lr": 1, "own": 2}), "evaluate": record({"split": "x"})}
    b = {"train": record({"lr": 1, "own": 3}, method="other"), "evaluate": record({"split": "y"})}
    assert differences([a, b]) == {"seeds": ["finished", "–"], "train.own": ["2", "3"]}
    c = {"train": record({"lr": 2}, method="other")}
    assert differences([{"train": a["train"]}, c]) == {"train.lr": ["1", "2"]}
    assert differences([a, a]) == {}
    some = [{"train": record({"head": head})} for head in ({}, {"dropout": 0.1}, {"dropout": 0.1, "width": 4})]
    assert differences(some) == {"train.head.dropout": ["–", "0.1", "0.1"], "train.head.width": ["–", "–", "4"]}
    assert differences([some[0], {"train": record({"head": None})}]) == {"train.head": ["{}", "None"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "toy/c"), "there is no run 'toy/c' in runs; did you mean 'toy/"),
        (("show", "toy/a"), "run toy/a is there for several data sets\n  say which one: dots/toy/a"),
        (("compare", "toy/b"), "one run is nothing to compare"),
        (("compare", "toy/b", "dots/toy/b"), "one run is nothing to compare"),
        (("remove", "toy/b", "toy/c", "--yes"), "there is no run 'toy/c'"),
    ],
)
def test_mistakes(wsss: Wsss, runs: Path, words: tuple[str, ...], message: str) -> None:
    result = wsss("runs", *words)
    assert result.code == 2 and message in result.err
    assert (runs / "dots/toy/b").is_dir()


def test_removal(wsss: Wsss, runs: Path) -> None:
    refused = wsss("runs", "remove", "toy/b")  # nobody answers
    assert refused.code == 1 and (runs / "dots/toy/b").is_dir()
    assert wsss("runs", "remove", "toy/b", "rings/toy/a", "--yes").code == 0
    assert not (runs / "dots/toy/b").exists() and not (runs / "rings/toy/a").exists() and (runs / "dots/toy/a").is_dir()


def test_removal_leaves_what_links_lead_to(wsss: Wsss, runs: Path) -> None:
    """It may be of other runs, too."""
    for name, link in (("stage", runs / "dots/toy/a/train"), ("run", runs / "dots/toy/b")):
        link.rename(wsss.folder / name)
        link.symlink_to(wsss.folder / name)
    done = wsss("runs", "remove", "dots/toy/a", "toy/b", "--yes")
    assert done.code == 0 and not list((runs / "dots/toy").iterdir()), done.text
    said = done.out.replace("\n", " ")
    assert f"left: {wsss.folder}/stage, which runs/dots/toy/a/train led to" in said
    assert f"deleted runs/dots/toy/b, a link left: {wsss.folder}/run, which runs/dots/toy/b led to" in said
    assert (wsss.folder / "stage/stage.json").is_file()
    assert sorted(path.name for path in (wsss.folder / "run").iterdir()) == ["run.yaml", "train"]


def test_a_run_that_is_closed_to_writing_is_not_removed(
    wsss: Wsss, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(shutil, "rmtree", refused)
    done = wsss("runs", "remove", "toy/b", "--yes")
    assert done.code == 2 and "error: not allowed to write runs/dots/toy/b: its file system is read-only" in done.err
