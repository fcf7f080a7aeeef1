"""ToCo through every stage on generated data, by the command that a user types."""

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

NAMES = ("classification", "auxiliary", "patch_contrast", "class_contrast", "segmentation", "energy")
TRAIN = ("train", "toco", "--recipe", "tiny.yaml", "--workers", 0)


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def losses(folder: Path) -> list[list[float]]:
    return [[row[name] for name in NAMES] for row in rows(folder)]


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after one process trained it and every stage was scored."""
    said = ok(wsss(*TRAIN, seconds=120))
    assert "12 images with tags, 9 iterations of 4 images" in said and "next: wsss seeds" in said
    assert "trained on image tags" in ok(wsss("evaluate", "--crf", "--workers", 0, seconds=120))
    said = ok(wsss("evaluate", "--stage", "pseudo", "--workers", 0, seconds=120))
    assert "pseudo-label" in said
    ok(wsss("evaluate", "--stage", "seeds", "--workers", 0))
    return wsss.folder / "runs/shapes/toco/default"


def test_every_stage_leaves_what_it_says(run: Path) -> None:
    stages = ("train", "seeds", "pseudo", "infer", "evaluate", "evaluate-seeds", "evaluate-pseudo")
    for stage in stages:
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    for folder in ("labels", "labels_crf"):
        assert len(list((run / "infer" / folder).glob("*.png"))) == 6
    protocol = json.loads((run / "evaluate" / "scores.json").read_text())["protocol"]
    assert (protocol["fusion"], protocol["flip"], protocol["scales"]) == ("sum_max", True, [1.0, 1.25])
    cams = sorted((run / "seeds" / "cam").glob("*.npz"))
    labels = sorted((run / "pseudo" / "labels").glob("*.png"))
    assert len(cams) == len(labels) == 12
    for cam_file, label_file in zip(cams, labels):
        cam, label = read_cam(cam_file), read_labels(label_file)
        assert label.shape == cam.size and set(np.unique(label)) <= {0, 255, *cam.keys.tolist()}
        assert cam.cam.min() >= 0 and cam.cam.max() <= 1 and cam.cam.max() > 0.5


def test_losses_begin_when_they_are_to(run: Path) -> None:
    found = np.array(losses(run / "train"))
    assert np.isfinite(found).all() and len(found) == 9
    assert (found[:3, 4:] == 0).all() and (found[3:, 4] > 0).all() and (found[3:, 5] < 0).all()
    assert (found[:, 2:4] > 0).all()


def test_a_second_network_learns_from_its_labels(wsss: Wsss, run: Path) -> None:
    net = ("net.backbone=test_resnet", "net.pretrained=none", "net.width=16", "net.aspp_rates=[1,2]", "augment.crop=64")
    words = ("train", "irn", "--pseudo", run, *net, "loop.batch=4", "loop.epochs=0.3", "--workers", 0)
    said = ok(wsss(*words, seconds=120))
    assert "12 images" in said and "seeds:" not in said


@pytest.mark.parametrize("setting", ["seeds.source=inner", "seeds.source=segmentation", "pseudo.refine=crf"])
def test_other_sources_and_refinements(wsss: Wsss, run: Path, setting: str) -> None:
    before = [path.read_bytes() for path in sorted((run / "pseudo" / "labels").glob("*.png"))]
    ok(wsss("pseudo", "toco", "--set", setting, "--workers", 0, seconds=120))
    assert [path.read_bytes() for path in sorted((run / "pseudo" / "labels").glob("*.png"))] != before


def test_killed_in_the_middle_it_goes_on_exactly(wsss: Wsss) -> None:
    """The teacher included."""
    words = (*TRAIN, "loop.save_minutes=0", "loop.iterations=8")
    ok(wsss(*words, "--name", "whole", seconds=120))
    whole, cut = (wsss.folder / "runs/shapes/toco" / name / "train" for name in ("whole", "cut"))
    process = wsss.start(*words, "--name", "cut")
    until(lambda: (cut / "checkpoint.pt").exists() and load(cut)["iteration"] > 3)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    at = load(cut)["iteration"]
    assert 3 < at < 8 and differences(load(whole)["modules"], load(cut)["modules"])
    assert f"goes on from iteration {at} of 8" in ok(wsss(*words, "--name", "cut", seconds=120))
    assert differences(load(whole), load(cut)) == []
    assert losses(whole) == losses(cut)


def test_two_processes_are_nearly_one(wsss: Wsss) -> None:
    words = (*TRAIN, "loop.iterations=5")
    ok(wsss(*words, "--name", "one", seconds=120))
    for result in wsss.ranks(2, *words, "--name", "two"):
        ok(result)
    one, two = (wsss.folder / "runs/shapes/toco" / name / "train" for name in ("one", "two"))
    np.testing.assert_allclose(losses(one), losses(two), rtol=1e-3, atol=1e-6)
    weights = load(one)["model"], load(two)["model"]
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], rtol=0, atol=2e-3, msg=key)


def test_crops_that_do_not_fit(wsss: Wsss) -> None:
    failed = wsss(*TRAIN, "--name", "bad", "local.size=64")
    assert failed.code == 2 and "local.size 64 leaves no room for 3 crops in views.crop 64" in failed.text
