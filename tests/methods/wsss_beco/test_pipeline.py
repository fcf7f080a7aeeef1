"""BECO through every stage on generated data, by the command that a user types."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from processes import Result, Wsss, until
from wsss_cli.data.labels import read_labels, read_mask01

MASKS = ("train", "beco", "--recipe", "tiny.yaml", "labels=masks", "--workers", 0)
"""A training that needs no other stage."""


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path) -> list[list[float]]:
    return [[row[name] for name in ("ce1", "ce2", "cot1", "cot2")] for row in rows(folder)]


def load(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def tensors(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a checkpoint but the seconds it took."""
    if isinstance(content, dict | list | tuple):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from tensors(value, f"{name}.{key}")
    elif not name.endswith(".seconds"):
        yield name, content


def differences(a: Any, b: Any) -> list[str]:
    """The names of the leaves that are not the same to the last bit."""
    left, right = dict(tensors(a)), dict(tensors(b))
    assert left.keys() == right.keys()
    same = {n: torch.equal(v, right[n]) if isinstance(v, torch.Tensor) else v == right[n] for n, v in left.items()}
    return [name for name, equal in same.items() if not equal]


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after two processes trained it and `wsss evaluate --crf` scored it."""
    said = ok(wsss("train", "beco", "--recipe", "tiny.yaml", "--procs", 2, seconds=300))
    assert "effective batch 4: ranks 2 x accumulated passes 1 x images 2" in said
    assert "effective batch 4, but the learning rate is meant for 16: keep loop.batch=16 and accumulate" in said
    assert "12 iterations, the first 3 mix offline" in said
    said = ok(wsss("evaluate", "--crf", seconds=300))
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
        assert len(maps) == 6 and all(read_labels(path).shape == (64, 64) for path in maps)
    assert all(np.isfinite(row).all() and min(row) >= 0 for row in losses(run / "train"))


def test_each_network_alone_and_both(wsss: Wsss, run: Path) -> None:
    """Scores say which network predicted; that of both together is none of the two."""
    found = {}
    for member in (1, 2, "both"):
        scores = json.loads(ok(wsss("evaluate", "beco", "--set", f"infer.member={member}", "--json", "--no-crf")))
        assert scores["protocol"]["member"] == str(member)
        found[member] = [read_labels(p) for p in sorted((run / "infer" / "labels").glob("*.png"))]
    assert len({b"".join(x.tobytes() for x in maps) for maps in found.values()}) == 3


def test_protocols_are_settings_with_a_name(wsss: Wsss, run: Path) -> None:
    for words, expected in (
        (["infer.protocol=512", "infer.resize=48"], {"resize": 48, "scales": [1.0], "fusion": "mean"}),
        (
            ["infer.protocol=512_multi_scale", "infer.resize=64"],
            {"resize": 64, "scales": [0.5, 0.75, 1.0, 1.25, 1.5], "fusion": "coarse_max"},
        ),
    ):
        settings = [part for word in words for part in ("--set", word)]
        protocol = json.loads(ok(wsss("evaluate", "beco", *settings, "--json", "--no-crf")))["protocol"]
        assert {key: protocol[key] for key in expected} == expected
    failed = wsss("infer", "beco", "--set", "infer.protocol=511")
    assert failed.code == 2 and "'infer.protocol' = '511'" in failed.text and "native" in failed.text


@pytest.mark.parametrize("values", [(0, 255), (0, 1)])
def test_released_folders_can_be_used(wsss: Wsss, run: Path, tmp_path: Path, values: tuple[int, int]) -> None:
    """As the authors' irn_pseudo_label and irn_mask: RGB masks of 0 and 255; or grey ones of 0 and 1."""
    shutil.copytree(run / "pseudo" / "labels", tmp_path / "labels")
    (tmp_path / "masks").mkdir()
    for path in (run / "pseudo" / "confidence").glob("*.png"):
        mask = np.where(read_mask01(path), values[1], values[0]).astype(np.uint8)
        image = Image.fromarray(mask) if values[1] == 1 else Image.fromarray(np.stack([mask] * 3, 2))
        image.save(tmp_path / "masks" / path.name)
    given = ("--pseudo", tmp_path / "labels", "--confidence", tmp_path / "masks", "--workers", 0)
    name = f"released{values[1]}"
    said = ok(wsss("train", "beco", "--name", name, "--recipe", "tiny.yaml", *given, "loop.epochs=2"))
    assert "pseudo:" not in said and "seeds:" not in said
    own = ("--name", "own", "--recipe", "tiny.yaml", "--workers", 0, "--set", "train.loop.epochs=2")
    ok(wsss("train", "beco", *own, seconds=120))
    runs = wsss.folder / "runs/shapes/beco"
    assert differences(load(runs / name / "train"), load(runs / "own" / "train")) == []


def test_killed_after_the_warm_up_in_the_middle_of_an_epoch_it_goes_on_exactly(wsss: Wsss) -> None:
    """Three iterations an epoch, the first epoch warms up: iteration 5 is the middle of the second epoch."""
    words = (*MASKS, "loop.save_minutes=0", "loop.epochs=12")
    ok(wsss(*words, "--name", "whole"))
    whole, cut = (wsss.folder / "runs/shapes/beco" / name / "train" for name in ("whole", "cut"))
    process = wsss.start(*words, "--name", "cut")
    until(lambda: (cut / "metrics.jsonl").exists() and len((cut / "metrics.jsonl").read_text().splitlines()) >= 5)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    at = load(cut)["iteration"]
    assert 4 <= at < 36
    if at % 3 == 0:  # killed at an epoch's end: the test is of its middle
        pytest.skip("the process was too quick")
    assert f"goes on from iteration {at} of 36" in ok(wsss(*words, "--name", "cut"))
    assert differences(load(whole), load(cut)) == []
    assert losses(whole) == losses(cut)


def test_two_processes_are_nearly_one(wsss: Wsss) -> None:
    """Batch statistics and dropout differ between ranks, so the backbone's are frozen and the rate is small."""
    frozen = ("net.freeze_bn=true", "optimiser.lr=0.0001", "optimiser.min_lr=0.00001")
    for name, extra in (("one", ()), ("two", ("--procs", 2))):
        ok(wsss(*MASKS, *frozen, "--name", name, *extra, seconds=120))
    one, two = (wsss.folder / "runs/shapes/beco" / name / "train" for name in ("one", "two"))
    weights = {name: load(folder)["model"] for name, folder in (("one", one), ("two", two))}
    for key, value in weights["one"].items():
        if value.is_floating_point() and "running" not in key:
            torch.testing.assert_close(value, weights["two"][key], rtol=0, atol=5e-3, msg=key)
    assert len(losses(one)) == len(losses(two)) == 12


def test_a_batch_that_cannot_be_paired(wsss: Wsss) -> None:
    failed = wsss(*MASKS, "--name", "odd", "loop.batch=3")
    assert failed.code == 2 and "gives 1 ranks x accumulate 1 no pairs" in failed.text
    assert "make it a multiple of 2" in failed.text


def test_labels_of_a_folder_need_masks(wsss: Wsss, run: Path) -> None:
    words = ("train", "beco", "--name", "bad", "--recipe", "tiny.yaml", "--pseudo", run / "pseudo" / "labels")
    failed = wsss(*words)
    assert failed.code == 2 and "--confidence DIR" in failed.text
    failed = wsss(*words, "--confidence", wsss.folder)
    assert failed.code == 2 and "no confidence mask for 12 images, first " in failed.text


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("labels", np.full((64, 64), 9, np.uint8), "holds the id 9, the data set's classes are 1..6"),
        ("labels", np.zeros((32, 64), np.uint8), "is 64 x 32, its image 64 x 64"),
        ("confidence", np.zeros((64, 32), np.uint8), "is 32 x 64, its image 64 x 64"),
        ("confidence", np.full((64, 64), 7, np.uint8), "holds 7, neither 0/1 nor 0/255"),
    ],
)
def test_files_that_do_not_fit_are_named(
    wsss: Wsss, run: Path, tmp_path: Path, kind: str, content: np.ndarray, message: str
) -> None:
    for folder in ("labels", "confidence"):
        shutil.copytree(run / "pseudo" / folder, tmp_path / folder)
    bad = sorted((tmp_path / kind).glob("*.png"))[0]
    Image.fromarray(content).save(bad)
    given = ("--pseudo", tmp_path / "labels", "--confidence", tmp_path / "confidence", "--workers", 0)
    failed = wsss("train", "beco", "--name", "misfit", "--force", "--recipe", "tiny.yaml", *given)
    assert failed.code == 2 and bad.name in failed.text and message in failed.text and "Traceback" not in failed.text
