"""PPMG through every stage on generated data, by the command that a user types."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processes import Result, Wsss, until
from trained_run import differences, load, rows
from wsss_cli.cam.store import read_cam
from wsss_cli.data.labels import read_labels
from wsss_cli.runs import read_record, write_record

TINY = ("--recipe", "tiny.yaml", "--workers", 0)


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def samples(wsss: Wsss, split: str) -> list[dict[str, Any]]:
    lines = (wsss.folder / "data/shapes/samples.jsonl").read_text().splitlines()
    return [s for s in map(json.loads, lines) if split in s["splits"]]


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after `wsss evaluate`, which makes everything that it needs, the cyclic round too."""
    said = ok(wsss("evaluate", "ppmg", *TINY, "--set", "train.cyclic.infer.crf=true", seconds=300))
    for stage in ("seeds", "pseudo", "train", "infer", "evaluate"):
        assert f"{stage}: not made yet" in said
    for step in ("train rough_net", "rough masks", "train cam_net", "multi-crop CAMs", "pseudo-masks"):
        assert f"{step}: " in said
    assert "train, first round: 12 images, 3 iterations of 4 images, loss: clamp" in said
    assert "train, cyclic round: 12 images, 3 iterations of 4 images, loss: off" in said
    assert "short side 48, windows of 48, scales 1, 1.5 + flip" in said
    return wsss.folder / "runs/shapes/ppmg/default"


def test_artefacts_are_there_for_each_image(wsss: Wsss, run: Path) -> None:
    for sample in samples(wsss, "train"):
        size, name = (sample["height"], sample["width"]), f"{sample['id']}.png"
        rough = read_labels(run / "seeds" / "rough" / name)
        assert rough.shape == size and set(np.unique(rough)) <= {0, 255, *sample["tags"]}
        cam = read_cam(run / "seeds" / "cam" / f"{sample['id']}.npz")
        assert cam.keys.tolist() == sample["tags"] and cam.full().shape[1:] == size
        labels = read_labels(run / "pseudo" / "labels" / name)
        assert labels.shape == size and set(np.unique(labels)) <= {0, *sample["tags"]}
        assert read_labels(run / "train" / "cyclic" / "labels_crf" / name).shape == size
    for sample in samples(wsss, "val"):
        assert read_labels(run / "infer" / "labels" / f"{sample['id']}.png").shape == (
            sample["height"],
            sample["width"],
        )


def test_both_rounds_are_recorded(run: Path) -> None:
    made = json.loads((run / "train" / "stage.json").read_text())["metrics"]
    assert {"main", "auxiliary", "first_main", "first_auxiliary"} <= made.keys()
    for folder in (run / "train" / "first", run / "train", run / "seeds" / "rough_net", run / "seeds" / "cam_net"):
        last = rows(folder)[-1]
        assert last["iteration"] == 3 and all(np.isfinite(v) for v in last.values() if isinstance(v, float))
    assert {"cls", "rvmin", "er", "ecr"} <= rows(run / "seeds" / "cam_net")[-1].keys()
    assert differences(load(run / "train" / "first")["model"], load(run / "train")["model"])


def test_seeds_resume_step_by_step(wsss: Wsss, run: Path) -> None:
    """What is there is kept; the missing rough mask and CAM are made again, the same."""
    missing = [sorted((run / "seeds" / kind).iterdir())[2] for kind in ("rough", "cam")]
    before = [path.read_bytes() for path in missing]
    for path in missing:
        path.unlink()
    write_record(run / "seeds", (read_record(run / "seeds") or {}) | {"status": "interrupted"})
    said = ok(wsss("seeds", "ppmg", "--workers", 0))
    assert "rough masks: 1 of 1 images" in said and "multi-crop CAMs: 1 of 1 images" in said
    assert "train cam_net" not in said and "train rough_net" not in said
    assert read_labels(missing[0]).shape and missing[0].read_bytes() == before[0]
    assert np.array_equal(read_cam(missing[1]).full(), read_cam(run / "seeds" / "cam" / missing[1].name).full())
    assert missing[1].read_bytes() == before[1]


def test_scores_of_seeds(wsss: Wsss, run: Path) -> None:
    scores = json.loads(ok(wsss("evaluate", "ppmg", "--stage", "seeds", "--json")))
    assert scores["scores"][0]["name"] == "CAM" and scores["split"] == "train"


MASKS = ("labels=masks", "loop.epochs=2", "loop.save_minutes=0", "cyclic.infer.crf=false", "cyclic.infer.scales=[1.0]")
BEST = ("selection.checkpoint=best", "selection.every=1")


def test_killed_in_either_round_it_goes_on_exactly(wsss: Wsss) -> None:
    words = ("train", "ppmg", *TINY, *MASKS, *BEST)
    ok(wsss(*words, "--name", "whole", seconds=120))
    whole, cut = (wsss.folder / "runs/shapes/ppmg" / name / "train" for name in ("whole", "cut"))
    for folder in (cut / "first", cut):
        process = wsss.start(*words, "--name", "cut")
        until(lambda folder=folder: (folder / "checkpoint.pt").exists() and load(folder)["iteration"] >= 1)
        process.send(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        assert load(folder)["iteration"] <= 6
    said = ok(wsss(*words, "--name", "cut", seconds=120))
    assert "loss: off" in said and "train, first round: 3" not in said
    for part in (".", "first"):
        assert differences(load(whole / part), load(cut / part)) == []
        assert [r["miou"] for r in rows(whole / part) if "miou" in r] == [
            r["miou"] for r in rows(cut / part) if "miou" in r
        ]
        assert (whole / part / "best.pt").exists()
    report = json.loads(ok(wsss("evaluate", "ppmg", "--name", "whole", "--workers", 0, "--json", seconds=120)))
    best = max(r["miou"] for r in rows(whole) if "miou" in r)
    assert report["protocol"]["selection"] == f"best mIoU on split 'val', {100 * best:.1f} at one scale"


def test_two_processes_on_ordinary_crops(wsss: Wsss) -> None:
    """As for COCO: no rough masks, no cyclic round, CAMs at stride 4."""
    changes = ("seeds.samples=random_crop", "seeds.full=false", "train.cyclic.enabled=false")
    words = [word for change in changes for word in ("--set", change)]
    for result in wsss.ranks(2, "train", "ppmg", *TINY, "--name", "two", *words):
        assert result.code == 0, result.text
    two = wsss.folder / "runs/shapes/ppmg/two"
    assert (
        len(list((two / "seeds" / "cam").glob("*.npz"))) == len(list((two / "pseudo" / "labels").glob("*.png"))) == 12
    )
    assert not (two / "seeds" / "rough").exists() and not (two / "train" / "first").exists()
    cam = read_cam(next((two / "seeds" / "cam").glob("*.npz")))
    assert cam.high_res is None and cam.cam.shape[1:] == tuple(n // 4 for n in cam.size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ("net.backbone=scalenet50", "net.pretrained=timm"),
            "there are no weights of 'scalenet50' that can be downloaded",
        ),
        (("training.checkpoint=voc12_s101_mc.pth",), "there is no file voc12_s101_mc.pth"),
        (("net.levels=[-3,-2,-1]",), "'seeds.net.levels'"),
        (("rough.sure=0.4",), "'seeds.rough.sure' = 0.4"),
    ],
)
def test_mistakes_are_named(wsss: Wsss, changes: tuple[str, ...], message: str) -> None:
    words = ("samples=random_crop", *changes)
    failed = wsss("seeds", "ppmg", "--name", "bad", *TINY, *words)
    assert failed.code == 2 and message in failed.text and "Traceback" not in failed.text
