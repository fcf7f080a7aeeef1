"""BCM through every stage on generated data, by the command that a user types."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processes import Result, Wsss, until
from tiny_shapes import shapes_and_recipe
from trained_run import differences, load, rows
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import read_prepared, write_prepared

LOOP = {"epochs": 1, "batch": 4, "accumulate": 2, "channels_last": True, "log_every": 1}
PHASE = {"rates": {"lr": 0.01, "head_factor": 2.0, "bias_factor": 4.0}, "loop": LOOP}
RECIPE: dict[str, Any] = {
    "train": {
        "net": {
            "backbone": "test_resnet",
            "pretrained": "none",
            "output_stride": 8,
            "aspp_rates": [1, 2],
            "freeze_bn": False,
        },
        "crop": {"size": 49, "scales": [0.75, 1.0]},
        "base": PHASE,
        "bcm": PHASE,
        "fr": PHASE,
    },
}


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("bcm"), RECIPE)


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text


@pytest.fixture(scope="module")
def run(wsss: Wsss) -> Path:
    """The run after `wsss evaluate --instances` and `wsss evaluate --crf`, which make what they need."""
    said = ok(wsss("evaluate", "bcm", "--recipe", "tiny.yaml", "--instances", "--workers", 0, seconds=300))
    for text in (
        "base: 3 iterations of 4 images in 2 pass(es)",
        "instance labels: ",
        "AP50",
        "true objects: the data set's",
        "seeds where unsure",
    ):
        assert text in said
    said = ok(wsss("evaluate", "--crf", "--workers", 0, seconds=300))
    assert "prediction + CRF" in said and "trained on seeds, effective batch 4;" in said
    return wsss.folder / "runs/shapes/bcm/default"


def test_every_stage_leaves_what_it_says(run: Path) -> None:
    for stage in ("seeds", "train", "pseudo", "infer", "evaluate", "evaluate-pseudo"):
        assert json.loads((run / stage / "stage.json").read_text())["status"] == "finished"
    for folder in ("seeds/labels", "pseudo/labels", "pseudo/labels_prob"):
        assert len(list((run / folder).glob("*.png"))) == 12
    assert len(list((run / "infer/labels_crf").glob("*.png"))) == 6
    assert set(load(run / "train")) == {"meta", "model", "rng"} and load(run / "train")["meta"]["phase"] == "fr"
    for phase in ("base", "bcm", "fr"):
        terms = {key for key in rows(run / "train" / phase)[0] if key.startswith(("ce", "mask"))}
        assert terms == {"ce_image", "ce_scale1", "ce_scale2", "ce_max"} | ({"mask"} if phase != "base" else set())


def test_phases_follow_each_other(run: Path) -> None:
    """The masking branch is new in bcm, and no phase leaves the weights of the one before as they were."""
    models = {phase: load(run / "train" / phase)["model"] for phase in ("base", "bcm", "fr")}
    assert {key.removeprefix("net.") for key in models["base"]} | {"bcm.weight", "bcm.bias"} == set(models["bcm"])
    assert differences(models["bcm"], models["fr"]) and set(models["bcm"]) == set(models["fr"])
    assert differences(load(run / "train")["model"], models["fr"]) == []


def test_pseudo_labels_and_filling_rates(run: Path) -> None:
    seeds, labels, mixed = (
        {p.stem: read_labels(p) for p in (run / folder).glob("*.png")}
        for folder in ("seeds/labels", "pseudo/labels", "pseudo/labels_prob")
    )
    for id in labels:
        assert np.isin(mixed[id], [255, *range(7)]).all() and (labels[id] <= 6).all()
        assert ((mixed[id] == seeds[id]) | (mixed[id] == labels[id])).all()
    rates = json.loads((run / "seeds/filling_rates.json").read_text())
    assert set(rates) == {"per_box", "pooled", "boxes"} and all(0 <= r <= 1 for r in rates["per_box"].values())


def test_instances_are_one_for_each_box(wsss: Wsss, run: Path) -> None:
    content = json.loads((run / "pseudo/instances/instances.json").read_text())
    samples = [json.loads(line) for line in (wsss.folder / "data/shapes/samples.jsonl").read_text().splitlines()]
    boxes = {s["id"]: [[x0, y0, x1 - x0, y1 - y0] for _, x0, y0, x1, y1 in s["boxes"]] for s in samples}
    for image in content["images"]:
        found = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
        assert found == boxes[image["sample"]]
    scores = json.loads((run / "evaluate-pseudo/scores.json").read_text())["instances"]
    assert scores["images"] == 12 and scores["objects"] == scores["instances"] == len(content["annotations"])
    assert 0 < scores["means"]["ABO"] < 1


def test_a_finished_stage_is_skipped_and_seeds_are_scored(wsss: Wsss, run: Path) -> None:
    assert "finished already" in ok(wsss("train", "bcm", "--workers", 0))
    scores = json.loads(ok(wsss("evaluate", "bcm", "--stage", "seeds", "--json", "--workers", 0)))
    assert [row["name"] for row in scores["scores"]] == ["seed"] and scores["scores"][0]["miou"] > 0.5
    assert 0 < scores["scores"][0]["ignored"] < 1
    ok(wsss("report", seconds=120))
    page = next(run.rglob("*.html")).read_text()
    assert "seed of train_00000" in page and "Instance labels, Split train" in page and "ABO, %" in page


def test_killed_in_two_phases_it_goes_on_exactly(wsss: Wsss, run: Path) -> None:
    words = ("train", "bcm", "--recipe", "tiny.yaml", "labels=masks", "fr_mode=intended", "--workers", 0)
    words = (*words, *(f"--set=train.{phase}.loop.save_minutes=0" for phase in ("base", "bcm", "fr")))
    whole, cut = (wsss.folder / "runs/shapes/bcm" / name / "train" for name in ("whole", "cut"))
    ok(wsss(*words, "--name", "whole", seconds=120))
    for phase in ("base", "fr"):
        process = wsss.start(*words, "--name", "cut")
        until(lambda phase=phase: iterations(cut / phase) > 1)
        process.send(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL and load(cut / phase)["iteration"] < 3
    said = ok(wsss(*words, "--name", "cut", seconds=120))
    assert "base: finished already" in said and "goes on from iteration" in said
    for each in ("base", "bcm", "fr", "."):
        assert differences(load(whole / each), load(cut / each)) == []


def iterations(folder: Path) -> int:
    """That are written down; of the last one, which may not be saved yet, is said no more."""
    path = folder / "metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(
    "words",
    [
        ("fr_mode=topk", "base.enabled=false", "fr.enabled=false", "label_resize=single"),
        ("fr_mode=off", "bcm.enabled=false", "fr.enabled=false", "scales=[]"),
    ],
)
def test_other_ways(wsss: Wsss, run: Path, words: tuple[str, ...]) -> None:
    given = ("--recipe", "tiny.yaml", "--name", words[0][8:], "labels=masks", "--set", "pseudo.confident=null")
    rle = ("--set", "pseudo.instances.shape=rle", "--set", "pseudo.clip=true", "--workers", 0)
    said = ok(wsss("train", "bcm", *given, *words, *rle, seconds=120))
    assert "seeds:" not in said
    ok(wsss("pseudo", "bcm", "--name", words[0][8:], "--workers", 0, seconds=120))
    folder = wsss.folder / "runs/shapes/bcm" / words[0][8:] / "pseudo"
    assert not (folder / "labels_prob").exists() and len(list((folder / "labels").glob("*.png"))) == 12


def test_data_without_boxes_is_told_once(wsss: Wsss, run: Path) -> None:
    shapes = read_prepared(wsss.folder / "data" / "shapes")
    info = replace(shapes.info, name="tags")
    write_prepared(wsss.folder / "data" / "tags", info, (replace(s, boxes=()) for s in shapes.samples))
    for words in (("seeds",), ("train", "labels=masks")):
        failed = wsss(words[0], "bcm", *words[1:], "--data", "tags", "--recipe", "tiny.yaml")
        assert failed.code == 2 and "data set 'tags' has no boxes in split 'train', and bcm learns" in failed.text


def test_other_mistakes_are_named(wsss: Wsss, run: Path) -> None:
    quick = ("--recipe", "tiny.yaml", "--workers", 0, "--name", "bad")
    for words, message in (
        (
            ("train", "bcm", "labels=masks", "fr_mode=topk", "filling_rates=official"),
            "VOC's 20 classes, the data set has 6",
        ),
        (("train", "bcm", "labels=masks", "boxes=nowhere"), "train.boxes: there is no folder nowhere"),
        (
            ("train", "bcm", "labels=masks", "base.enabled=false", "bcm.enabled=false", "fr.enabled=false"),
            "all disabled",
        ),
        (("evaluate", "bcm", "--instances", "--stage", "infer"), "stage infer has no instance labels"),
    ):
        failed = wsss(*words, *quick)
        assert failed.code == 2 and message in failed.text and "Traceback" not in failed.text, failed.text
