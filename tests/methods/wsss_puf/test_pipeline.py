"""PUF through every stage on generated data, by the command that a user types."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from processes import Result, Wsss, until
from trained_run import differences, load, rows
from wsss_cli.cam.store import read_cam
from wsss_cli.data.labels import read_labels

TRAIN = ("train", "puf", "--recipe", "tiny.yaml", "--workers", 0)


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def run_of(wsss: Wsss, name: str) -> Path:
    return wsss.folder / "runs/shapes/puf" / name


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after two processes trained it and every stage was made and scored."""
    said = [ok(result) for result in wsss.ranks(2, "pseudo", "puf", "--recipe", "tiny.yaml", "--workers", 0)]
    assert "12 images with tags, 6 iterations of 4 images in two views" in said[0]
    for stage in ("seeds", "pseudo"):
        assert "mIoU" in ok(wsss("evaluate", "--stage", stage, "--workers", 0, seconds=120))
    assert ", weights student, no CRF; trained on image tags, effective batch 4;" in ok(
        wsss("evaluate", "--workers", 0, seconds=120)
    )
    return run_of(wsss, "default")


def test_every_stage_leaves_what_it_says(run: Path) -> None:
    for stage in ("train", "seeds", "pseudo", "infer", "evaluate", "evaluate-seeds", "evaluate-pseudo"):
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    assert json.loads((run / "train" / "stage.json").read_text())["machine"]["ranks"] == 2
    cams = [read_cam(path) for path in sorted((run / "seeds" / "cam").glob("*.npz"))]
    assert len(cams) == 12 and all(one.cam.min() >= 0 and one.cam.max() <= 1 for one in cams)
    for stage, n in (("pseudo", 12), ("infer", 6)):
        maps = sorted((run / stage / "labels").glob("*.png"))
        assert len(maps) == n and all(64 in read_labels(path).shape for path in maps)
    journal = rows(run / "train")
    assert [row["iteration"] for row in journal] == list(range(1, 7))
    assert [row["segmentation"] > 0 for row in journal] == [False] * 2 + [True] * 4
    assert all(np.isfinite(list(row["time"].values())).all() and row["class_distillation"] > 0 for row in journal)


def test_student_and_teacher_differ(wsss: Wsss, run: Path) -> None:
    student, teacher = load(run / "train")["model"], load(run / "train")["modules"]["teacher"]
    assert student.keys() == teacher.keys()
    assert not torch.equal(student["decoder.conv6.weight"], teacher["decoder.conv6.weight"])
    before = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
    scores = json.loads(ok(wsss("evaluate", "puf", "--weights", "teacher", "--workers", 0, "--json", seconds=120)))
    assert scores["protocol"]["weights"] == "teacher" and scores["protocol"]["fusion"] == "sum_max"
    assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != before


def test_killed_in_the_middle_it_goes_on_exactly(wsss: Wsss) -> None:
    """Student, teacher, centres and stochastic depth; before and after the masks come from CAMs."""
    words = (*TRAIN, "loop.save_minutes=0")
    ok(wsss(*words, "--name", "whole", seconds=120))
    whole, cut = (run_of(wsss, name) / "train" for name in ("whole", "cut"))
    process = wsss.start(*words, "--name", "cut")
    until(lambda: (cut / "metrics.jsonl").exists() and len(rows(cut)) > 3)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    at = load(cut)["iteration"]
    assert 3 <= at < 6
    centres = load(cut)["modules"]["centres"]
    assert centres["classes"].any() and centres["patches"].any()
    assert f"goes on from iteration {at} of 6" in ok(wsss(*words, "--name", "cut", seconds=120))
    assert differences(load(whole), load(cut)) == []
    assert load(cut)["modules"].keys() == {"teacher", "centres"}


def test_two_processes_are_one(wsss: Wsss) -> None:
    """Apart from stochastic depth, which each rank draws for itself."""
    words = (*TRAIN, "net.drop_path=0", "optimiser.lr=0.0001", "loop.iterations=4")
    ok(wsss(*words, "--name", "one", seconds=120))
    for result in wsss.ranks(2, *words, "--name", "two"):
        ok(result)
    one, two = (load(run_of(wsss, name) / "train") for name in ("one", "two"))
    for place in ("model", "modules"):
        torch.testing.assert_close(one[place], two[place], rtol=0, atol=1e-4)


def test_what_does_not_fit_is_said(wsss: Wsss) -> None:
    failed = wsss(*TRAIN, "--name", "bad", "masking.block=20")
    assert failed.code == 2 and "views.size 64 is no multiple of masking.block 20" in failed.text
    failed = wsss("evaluate", "puf", "--weights", "pupil", "--workers", 0)
    assert failed.code == 2 and "teacher" in failed.text
