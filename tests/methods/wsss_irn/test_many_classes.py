"""A data set of 300 classes, whose label maps are 16-bit, through every stage of IRN."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from prepared_data import prepare
from processes import Wsss
from tiny_coco import instances, place, write, write_image
from wsss_cli.data.label_format import WORD, format_of
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_coco import DATASET

CLASSES = 300
USED = (7, 254, 255, 256, 300)


@pytest.fixture(scope="module")
def data(wsss: Wsss) -> Prepared:
    """Objects of five classes, 255 and 256 among them."""
    coco = wsss.folder / "coco"
    for part, images, seed in (("train", 9, 0), ("val", 4, 1)):
        content = instances(part + "_{}.jpg", images, seed)
        content["categories"] = [{"id": c, "name": f"class {c}"} for c in range(1, CLASSES + 1)]
        for a in content["annotations"]:
            a["category_id"] = USED[a["id"] % len(USED)]
        for image in content["images"]:
            write_image(coco / f"{part}2014" / image["file_name"], image["id"])
        write(coco, part, content)
    options = DATASET.config_class()(root=coco, crowd="ignore", unlabelled="empty")
    return prepare(DATASET, options, "wide", wsss.folder / "data")


def test_masks_have_16_bits(data: Prepared) -> None:
    found = set()
    for sample in data.samples:
        assert sample.mask is not None
        labels = read_labels(sample.mask)
        assert format_of(labels) == WORD and set(sample.tags) <= set(USED)
        found |= set(np.unique(labels).tolist())
    assert found == {0, *USED, 65535}


def test_every_stage_keeps_the_ids(wsss: Wsss, data: Prepared) -> None:
    short = [f"--set={loop}.epochs=1" for loop in ("seeds.training.loop", "pseudo.training.loop", "train.loop")]
    unsure = ["--set", "pseudo.ir_label.foreground=0.95", "--set", "pseudo.ir_label.background=0.02"]
    mean = ["--set", "evaluate.mean_over=ground_truth"]  # not what only this rough network predicts
    words = ("evaluate", "irn", "--train", "-d", "wide", "--recipe", "tiny.yaml", "--workers", 0)
    done = wsss(*words, *short, *unsure, *mean, "--crf", seconds=300)
    assert done.code == 0, done.text
    run = wsss.folder / "runs/wide/irn/default"
    ignored = 0
    for sample in data.split("train"):
        pseudo, ir = (read_labels(run / "pseudo" / kind / f"{sample.id}.png") for kind in ("labels", "ir_label"))
        assert format_of(pseudo) == format_of(ir) == WORD
        assert set(np.unique(pseudo)) <= {0, *sample.tags}
        assert set(np.unique(ir)) <= {0, 65535, *sample.tags}
        ignored += int((ir == 65535).sum())
    assert ignored
    for sample in data.split("val"):
        assert all(format_of(read_labels(p)) == WORD for p in (run / "infer").glob(f"labels*/{sample.id}.png"))
    scores = json.loads((run / "evaluate" / "scores.json").read_text())
    present = [name for name, iou in scores["scores"][0]["iou"].items() if iou is not None]
    assert present == ["background", *(f"class {c}" for c in USED)]
    for stage in ("seeds", "pseudo"):
        done = wsss("evaluate", "--stage", stage, "--workers", 0)
        assert done.code == 0, done.text
    assert wsss("report").code == 0
    assert "class 256" in (run / "report.html").read_text(encoding="utf-8")


def test_masks_of_the_other_depth_are_refused(wsss: Wsss, data: Prepared, tmp_path: Path) -> None:
    for sample in data.split("train"):
        Image.new("L", (sample.width, sample.height)).save(tmp_path / f"{sample.id}.png")
    asked = ["--name", "own", "--recipe", "tiny.yaml", "--set", f"labels={tmp_path}"]
    done = wsss("train", "irn", "-d", "wide", *asked)
    assert done.code == 2 and "has 8 bits per pixel, but with 300 classes label maps have 16" in done.text
    sample = data.split("val")[0]
    assert sample.mask is not None
    kept = sample.mask.read_bytes()
    Image.new("L", (sample.width, sample.height)).save(sample.mask)
    done = wsss("check", "-d", "wide", "irn")
    sample.mask.write_bytes(kept)
    assert done.code == 2 and "8 bits per pixel" in done.text.replace("\n", " ")


def test_too_many_classes(wsss: Wsss, data: Prepared) -> None:
    coco = wsss.folder / "coco"
    for part in ("train", "val"):
        content = json.loads(place(coco, part).read_text())
        content["categories"] = [{"id": c, "name": f"class {c}"} for c in range(1, 65_536)]
        write(coco, part, content)
    with pytest.raises(WsssError, match="65,535 classes"):
        prepare(DATASET, DATASET.config_class()(root=coco), "huge", wsss.folder / "data")
    with pytest.raises(WsssError, match=r"category id 65535 cannot be a class id: those are 1\.\.65534"):
        prepare(DATASET, DATASET.config_class()(root=coco, classes="91"), "huge", wsss.folder / "data")
