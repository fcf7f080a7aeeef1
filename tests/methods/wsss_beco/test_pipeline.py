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

from key_lists import keys
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


@pytest.mark.parametrize("values", [(0, 255), (0, 1)])
def test_released_folders_can_be_used(
    wsss: Wsss, run: Path, own: Path, tmp_path: Path, values: tuple[int, int]
) -> None:
    """As the authors' irn_pseudo_label and irn_mask: RGB masks of 0 and 255; or grey ones of 0 and 1."""
    shutil.copytree(run / "pseudo" / "labels", tmp_path / "labels")
    (tmp_path / "masks").mkdir()
    for path in (run / "pseudo" / "confidence").glob("*.png"):
        mask = np.where(read_mask01(path), values[1], values[0]).astype(np.uint8)
        image = Image.fromarray(mask) if values[1] == 1 else Image.fromarray(np.stack([mask] * 3, 2))
        image.save(tmp_path / "masks" / path.name)
    given = ("--pseudo", tmp_path / "labels", "--confidence", tmp_path / "masks", "--workers", 0)
    name = f"released{values[1]}"
    said = ok(wsss("train", "beco", "--name", name, "--recipe", "tiny.yaml", *given, "loop.epochs=1"))
    assert "pseudo:" not in said and "seeds:" not in said
    trained = wsss.folder / "runs/shapes/beco" / name / "train"
    assert differences(load(trained), load(own)) == []


def test_killed_after_the_warm_up_in_the_middle_of_an_epoch_it_goes_on_exactly(wsss: Wsss) -> None:
    """Three iterations an epoch, the first epoch warms up: iteration 5, for one, is the middle of the second epoch."""
    words = (*MASKS, "loop.save_minutes=0", "loop.epochs=7")
    ok(wsss(*words, "--name", "whole"))
    whole, cut = (wsss.folder / "runs/shapes/beco" / name / "train" for name in ("whole", "cut"))
    at = 3
    while at % 3 == 0:  # until it is killed in the middle
        process = wsss.start(*words, "--name", "cut")
        until(lambda at=at: (cut / "checkpoint.pt").exists() and len(rows(cut)) > at)
        process.send(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        at = load(cut)["iteration"]
    assert 3 < at < 21 and differences(load(whole)["model"], load(cut)["model"])
    assert f"goes on from iteration {at} of 21" in ok(wsss(*words, "--name", "cut"))
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


def test_the_authors_networks_can_be_used(wsss: Wsss) -> None:
    """A file as theirs, whose tensors here are single numbers; nothing is trained, and a wrong file is named."""
    torch.manual_seed(0)
    values = {key: torch.rand(()) for key in keys("beco/beco_state_dict")}
    state = {
        key: torch.tensor(7) if key.endswith("num_batches_tracked") else values[key].expand(shape_of(key, shape))
        for key, shape in keys("beco/beco_state_dict").items()
    }
    path = wsss.folder / "best_ckpt.pth"
    torch.save({"net_state_dict": {"network1": state, "network2": state}}, path)
    words = ("train", "beco", "--name", "official", "--recipe", "voc", "--set", f"train.checkpoint={path}")
    said = ok(wsss(*words))
    assert said.count("tensors loaded from") == 2 and "seeds:" not in said
    model = load(wsss.folder / "runs/shapes/beco/official/train")["model"]
    assert torch.equal(model["network2.head.classifier.bias"], state["classifier.bias"])
    del state["classifier.bias"]
    torch.save({"net_state_dict": {"network1": state, "network2": state}}, path)
    failed = wsss(*words, "--force")
    assert failed.code == 2 and str(path) in failed.text and "Traceback" not in failed.text


def shape_of(key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The official list is of VOC's 21 outputs; the shapes have 7."""
    return (7, *shape[1:]) if key.startswith("classifier.") else shape
