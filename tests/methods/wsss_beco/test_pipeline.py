"""BECO through every stage on generated data, by the command that a user types."""

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from processes import Result, Wsss, until
from trained_run import differences, load, rows
from wsss_cli.data.labels import read_labels, read_mask01

MASKS = ("train", "beco", "--recipe", "tiny.yaml", "labels=masks", "--workers", 0)
"""A training that needs no other stage."""


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def losses(folder: Path) -> list[list[float]]:
    return [[row[name] for name in ("ce1", "ce2", "cot1", "cot2")] for row in rows(folder)]


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after two processes trained it and `wsss evaluate --crf` scored it."""
    ok(wsss("pseudo", "beco", "--recipe", "tiny.yaml", "--workers", 0, seconds=300))
    said = ok(wsss("train", "beco", "--procs", 2, seconds=300))
    assert "effective batch 4: ranks 2 x accumulated passes 1 x images 2" in said
    assert "effective batch 4, but the learning rate is meant for 16: keep loop.batch=16 and accumulate" in said
    assert "12 iterations, the first 3 mix offline" in said
    said = ok(wsss("evaluate", "--crf", "--workers", 0, seconds=300))
    assert "prediction + CRF" in said
    return wsss.folder / "runs/shapes/beco/default"


def test_every_stage_leaves_what_it_says(wsss: Wsss, run: Path) -> None:
    for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    assert json.loads((run / "train" / "stage.json").read_text())["machine"]["ranks"] == 2
    assert len(list((run / "pseudo" / "confidence").glob("*.png"))) == 12
    assert not (run / "pseudo" / "instances").exists()
    for folder in ("labels", "labels_crf"):
        maps = sorted((run / "infer" / folder).glob("*.png"))
        assert len(maps) == 6 and all(64 in read_labels(path).shape for path in maps)
    assert all(np.isfinite(row).all() and min(row) >= 0 for row in losses(run / "train"))


def test_scores_name_the_protocol_and_the_network(wsss: Wsss, run: Path) -> None:
    both = [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))]
    settings = ("infer.protocol=512_multi_scale", "infer.resize=64", "infer.member=1", "infer.crf=false")
    scores = json.loads(ok(wsss("evaluate", "beco", *(w for s in settings for w in ("--set", s)), "--json")))
    expected = {"resize": 64, "scales": [0.5, 0.75, 1.0, 1.25, 1.5], "fusion": "coarse_max", "member": "1"}
    assert {key: scores["protocol"][key] for key in expected} == expected
    assert [path.read_bytes() for path in sorted((run / "infer" / "labels").glob("*.png"))] != both


@pytest.fixture(scope="module")
def own(wsss: Wsss, run: Path) -> Path:
    """A short training on the run's own pseudo-labels and masks, those of `run`."""
    stages = wsss.folder / "runs/shapes/beco/own"
    stages.mkdir()
    for stage in ("seeds", "pseudo"):
        shutil.copytree(run / stage, stages / stage)
    said = ok(wsss("train", "beco", "--name", "own", "--recipe", "tiny.yaml", "--workers", 0, "loop.epochs=1"))
    assert "pseudo:" not in said
    return stages / "train"


def test_released_folders_can_be_used(wsss: Wsss, run: Path, own: Path, tmp_path: Path) -> None:
    """As the authors' irn_pseudo_label and irn_mask: RGB masks of 0 and 255; some here are grey ones of 0 and 1."""
    (tmp_path / "masks").mkdir()
    for i, path in enumerate((run / "pseudo" / "confidence").glob("*.png")):
        mask = read_mask01(path).astype(np.uint8)
        image = Image.fromarray(mask) if i % 3 == 0 else Image.fromarray(np.stack([255 * mask] * 3, 2))
        image.save(tmp_path / "masks" / path.name)
    given = ("--pseudo", run / "pseudo" / "labels", "--confidence", tmp_path / "masks", "--workers", 0)
    said = ok(wsss("train", "beco", "--name", "released", "--recipe", "tiny.yaml", *given, "loop.epochs=1"))
    assert "pseudo:" not in said and "seeds:" not in said
    assert differences(load(wsss.folder / "runs/shapes/beco/released/train"), load(own)) == []


def test_killed_after_the_warm_up_in_the_middle_of_an_epoch_it_goes_on_exactly(wsss: Wsss) -> None:
    """Three iterations an epoch, the first epoch warms up: iteration 5, for one, is the middle of the second epoch."""
    words = (*MASKS, "loop.save_minutes=0", "loop.epochs=5")
    ok(wsss(*words, "--name", "whole"))
    whole, cut = (wsss.folder / "runs/shapes/beco" / name / "train" for name in ("whole", "cut"))
    at = 3
    while at % 3 == 0:  # until it is killed in the middle
        process = wsss.start(*words, "--name", "cut")
        until(lambda at=at: (cut / "checkpoint.pt").exists() and load(cut)["iteration"] > at)
        process.send(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        at = load(cut)["iteration"]
    assert 3 < at < 15 and differences(load(whole)["model"], load(cut)["model"])
    assert f"goes on from iteration {at} of 15" in ok(wsss(*words, "--name", "cut"))
    assert differences(load(whole), load(cut)) == []
    assert losses(whole) == losses(cut)


def test_two_processes_are_nearly_one(wsss: Wsss) -> None:
    """Batch statistics and dropout differ between ranks, so the backbone's are frozen and the rate is small."""
    frozen = ("net.freeze_bn=true", "optimiser.lr=0.0001", "optimiser.min_lr=0.00001")
    frozen = (*frozen, "loop.epochs=2")
    ok(wsss(*MASKS, *frozen, "--name", "one", seconds=120))
    for result in wsss.ranks(2, *MASKS, *frozen, "--name", "two"):
        ok(result)
    one, two = (wsss.folder / "runs/shapes/beco" / name / "train" for name in ("one", "two"))
    weights = {name: load(folder)["model"] for name, folder in (("one", one), ("two", two))}
    for key, value in weights["one"].items():
        if value.is_floating_point() and "running" not in key:
            torch.testing.assert_close(value, weights["two"][key], rtol=0, atol=5e-3, msg=key)
    assert len(losses(one)) == len(losses(two)) == 6


def test_masks_that_are_not_there_are_named(wsss: Wsss, run: Path) -> None:
    given = ("--pseudo", run / "pseudo" / "labels", "--confidence", wsss.folder)
    failed = wsss("train", "beco", "--name", "bad", "--recipe", "tiny.yaml", *given, seconds=120)
    assert failed.code == 2 and f"{wsss.folder} holds no confidence mask for 12 images, first " in failed.text
