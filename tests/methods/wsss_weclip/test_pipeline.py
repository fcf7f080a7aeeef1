"""WeCLIP through every stage on generated data, by the command that a user types."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from processes import Result, Wsss, until
from tiny_weclip import PLUS, TRAIN
from trained_run import differences, load, rows
from wsss_cli.cam.store import read_cam
from wsss_cli.config import merge
from wsss_cli.data.labels import read_labels

WORDS = ("train", "weclip", "--recipe", "tiny.yaml", "--workers", 0)
LOSSES = ("segmentation", "affinity")


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


def losses(folder: Path, names: tuple[str, ...] = LOSSES) -> np.ndarray:
    return np.array([[row[name] for name in names] for row in rows(folder)])


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after its training, its CAMs and pseudo-labels, and the scores of its predictions."""
    said = ok(wsss("pseudo", "weclip", "--recipe", "tiny.yaml", "--workers", 0, seconds=300))
    assert "12 images with tags, 8 iterations of 4 images" in said
    said = ok(wsss("evaluate", "--workers", 0, seconds=300))
    assert "image size: long side 64, scales 1, 0.75 + flip" in said and "no CRF; trained on image tags" in said
    return wsss.folder / "runs/shapes/weclip/default"


def test_every_stage_leaves_what_it_says(run: Path) -> None:
    for stage in ("train", "seeds", "pseudo", "infer", "evaluate"):
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    cams = [read_cam(path) for path in sorted((run / "seeds" / "cam").glob("*.npz"))]
    assert len(cams) == len(list((run / "pseudo" / "labels").glob("*.png"))) == 12
    assert all((np.diff(cam.keys) > 0).all() and 0 <= cam.cam.min() <= cam.cam.max() <= 1 for cam in cams)
    assert sum(cam.cam.max() > 0.5 for cam in cams) > 6  # of a random network some are empty
    maps = [read_labels(path) for path in sorted((run / "infer" / "labels").glob("*.png"))]
    assert len(maps) == 6 and all(64 in labels.shape and labels.max() <= 3 for labels in maps)
    found = losses(run / "train")
    assert np.isfinite(found).all() and len(found) == 8 and (found > 0).all()


def test_the_tower_stays_and_the_rest_learns(wsss: Wsss, run: Path) -> None:
    content = load(run / "train")
    assert set(content["optimizer"]["state"]) == set(range(len(content["optimizer"]["param_groups"][0]["params"])))
    first = ok(wsss(*WORDS, "--name", "short", "--set", "train.loop.iterations=1"))
    assert first
    before = load(wsss.folder / "runs/shapes/weclip/short/train")["model"]
    changed = {name.partition(".")[0] for name, x in content["model"].items() if not torch.equal(x, before[name])}
    assert changed == {"fusion", "decoder"}


def test_killed_it_goes_on_exactly(wsss: Wsss, run: Path) -> None:
    words = (*WORDS, "loop.save_minutes=0", "--name", "cut")
    cut = wsss.folder / "runs/shapes/weclip/cut/train"
    process = wsss.start(*words)
    until(lambda: (cut / "checkpoint.pt").exists() and load(cut)["iteration"] > 3)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    at = load(cut)["iteration"]
    assert 3 < at < 8, "it was too fast to be killed"
    assert f"goes on from iteration {at} of 8" in ok(wsss(*words))
    assert differences(load(run / "train"), load(cut)) == []
    assert (losses(run / "train") == losses(cut)).all()


def test_two_processes_are_one(wsss: Wsss, run: Path) -> None:
    """Dropout is drawn with the sample; counts of pixels and pairs are those of the whole batch."""
    for result in wsss.ranks(2, *WORDS, "--name", "two"):
        ok(result)
    two = wsss.folder / "runs/shapes/weclip/two/train"
    np.testing.assert_allclose(losses(two)[:4], losses(run / "train")[:4], rtol=1e-4)
    np.testing.assert_allclose(losses(two), losses(run / "train"), rtol=0.02)
    weights = [load(folder)["model"] for folder in (run / "train", two)]
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], rtol=0, atol=5e-3, msg=key)


def test_bf16_is_near(wsss: Wsss, run: Path) -> None:
    ok(wsss(*WORDS, "--name", "bf16", "--set", "train.loop.amp=bf16"))
    half = losses(wsss.folder / "runs/shapes/weclip/bf16/train")
    assert np.isfinite(half).all() and (half != losses(run / "train")).any()
    np.testing.assert_allclose(half[:2], losses(run / "train")[:2], rtol=0.1)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_kept_features_give_what_the_networks_give(wsss: Wsss, kind: str) -> None:
    whole = (*WORDS, "--set", "train.augment.whole=true")
    anew, kept = (wsss.folder / f"runs/shapes/weclip/{name}" for name in (f"anew_{kind}", f"kept_{kind}"))
    ok(wsss(*whole, "--name", anew.name))
    ok(wsss(*whole, "--name", kept.name, "--set", f"train.keep_features={kind}"))
    assert len(list((kept / "features").rglob("*.npz"))) == 24  # plain and mirrored
    tolerance = 1e-3 if kind == "float32" else 0.05
    np.testing.assert_allclose(losses(kept / "train"), losses(anew / "train"), rtol=tolerance)
    stamp = {path: path.stat().st_mtime_ns for path in (kept / "features").rglob("*.npz")}
    ok(wsss(*whole, "--name", kept.name, "--set", "train.loop.iterations=2"))  # another training finds them
    assert stamp == {path: path.stat().st_mtime_ns for path in (kept / "features").rglob("*.npz")}


def test_plus_goes_through_every_stage(wsss: Wsss) -> None:
    recipe = {"train": merge(TRAIN, PLUS), "seeds": {"labelling": {"box_threshold": None, "weigh": True}}}
    (wsss.folder / "plus.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    ok(wsss("pseudo", "weclip", "--recipe", "plus.yaml", "--name", "plus", "--workers", 0, seconds=300))
    ok(wsss("infer", "weclip", "--name", "plus", "--workers", 0, "--set", "infer.long_side=64", seconds=300))
    run = wsss.folder / "runs/shapes/weclip/plus"
    found = losses(run / "train", ("segmentation", "affinity", "cross", "dice"))
    assert np.isfinite(found).all() and (found > 0).all() and len(list((run / "infer" / "labels").glob("*.png"))) == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train.keep_features=float16",), "train.keep_features, but every crop is drawn at random"),
        (("train.text.names={disk: x}",), "unknown class 'disk'"),
        (("train.text.features=none.npz",), "there is no file none.npz"),
        (("train.net.backbone=vit_tiny_patch16_224",), "'vit_tiny_patch16_224' is no visual transformer of CLIP"),
        (("train.net.dino=vit_tiny_patch16_224",), "'vit_tiny_patch16_224' is no DINOv2"),
    ],
)
def test_what_cannot_work_is_named(wsss: Wsss, words: tuple[str, ...], said: str) -> None:
    failed = wsss(*WORDS, "--name", f"bad{len(said)}", *(x for word in words for x in ("--set", word)))
    assert failed.code == 2 and said in failed.text and "Traceback" not in failed.text
