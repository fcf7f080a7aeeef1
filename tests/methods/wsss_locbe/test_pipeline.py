"""LOC-BE through every stage on generated data, by the command that a user types."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from processes import Result, Wsss, until
from trained_run import differences, load, rows
from wsss_cli.data.labels import read_labels

TRAIN = ("train", "locbe", "--recipe", "tiny.yaml", "--workers", 0)
LOSSES = ("classification", "auxiliary", "boundary", "patch_contrast", "local", "segmentation", "energy")


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def losses(folder: Path) -> np.ndarray:
    return np.array([[row[name] for name in LOSSES] for row in rows(folder)])


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after its training, its CAMs and pseudo-labels, and the scores of its predictions."""
    said = ok(wsss("pseudo", "locbe", "--recipe", "tiny.yaml", "--workers", 0, seconds=300))
    assert "12 images with tags, 8 iterations of 4 images" in said
    ok(wsss("evaluate", "--workers", 0, seconds=300))
    return wsss.folder / "runs/shapes/locbe/default"


def test_every_stage_leaves_what_it_says(run: Path) -> None:
    for stage in ("train", "seeds", "pseudo", "infer", "evaluate"):
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    assert (
        len(list((run / "seeds" / "cam").glob("*.npz"))) == len(list((run / "pseudo" / "labels").glob("*.png"))) == 12
    )
    maps = [read_labels(path) for path in sorted((run / "infer" / "labels").glob("*.png"))]
    assert len(maps) == 6 and all(64 in labels.shape and labels.max() <= 3 for labels in maps)
    found = losses(run / "train")
    assert np.isfinite(found).all() and len(found) == 8
    assert (found[:2, 2:] == 0).all() and (found[2:, 2] > 0).all() and (found[:4, 4:] == 0).all()
    assert (found[4:, 5] > 0).all() and (found[4:, 6] < 0).all()


def test_coco_fusion_predicts_otherwise(wsss: Wsss, run: Path) -> None:
    before = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
    fusion = ("infer.fusion=max_sum", "infer.scales=[1,1.25,1.5]", "infer.resize=56")
    result = wsss("evaluate", "locbe", *(w for s in fusion for w in ("--set", s)), "--workers", 0, "--json")
    ok(result)
    protocol = json.loads(result.out)["protocol"]
    assert (protocol["fusion"], protocol["resize"], protocol["scales"]) == ("max_sum", 56, [1, 1.25, 1.5])
    assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != before


def test_killed_it_goes_on_exactly(wsss: Wsss, run: Path) -> None:
    words = (*TRAIN, "loop.save_minutes=0", "--name", "cut")
    cut = wsss.folder / "runs/shapes/locbe/cut/train"
    process = wsss.start(*words)
    until(lambda: (cut / "checkpoint.pt").exists() and load(cut)["iteration"] > 3)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    at = load(cut)["iteration"]
    assert 3 < at < 8, "it was too fast to be killed"
    assert f"goes on from iteration {at} of 8" in ok(wsss(*words))
    assert differences(load(run / "train"), load(cut)) == []
    assert (losses(run / "train") == losses(cut)).all()


def test_two_processes_are_nearly_one(wsss: Wsss, run: Path) -> None:
    for result in wsss.ranks(2, *TRAIN, "--name", "two"):
        ok(result)
    two = wsss.folder / "runs/shapes/locbe/two/train"
    weights = [load(folder)["model"] for folder in (run / "train", two)]
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], rtol=0, atol=5e-3, msg=key)
    np.testing.assert_allclose(losses(two), losses(run / "train"), rtol=0.05, atol=1e-3)


def test_what_cannot_work_is_named(wsss: Wsss) -> None:
    failed = wsss(*TRAIN, "--name", "bad", "phases=[{until: 5}]")
    assert failed.code == 2 and "give each phase a larger `until`" in failed.text
