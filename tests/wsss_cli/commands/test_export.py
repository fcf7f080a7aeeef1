"""`wsss export labels` and `wsss infer --voc-submission` through the entry point."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from processes import Wsss
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import read_prepared
from wsss_cli.export.source import find_source

RUN = Path("runs/dots/toy/default")


@pytest.fixture(scope="module")
def trained(dots: Path, toy_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    """A folder in which `wsss train toy` has run; the tests here only add to it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(dots / "data", folder / "data")
    wsss = Wsss(folder, (toy_site,))
    result = wsss("train", "toy", "--workers", 0)
    assert result.code == 0, result.text
    return wsss


def test_what_is_missing_is_made_first(wsss: Wsss) -> None:
    words = ("export", "labels", "toy", "--format", "png", "--out", "out")
    refused = wsss(*words)
    assert refused.code == 2 and "run toy/default on data set 'dots' has no seeds yet" in refused.err
    dry = wsss(*words, "--train", "--dry-run")
    assert dry.code == 0 and "pseudo: would run (not made yet)" in dry.out
    assert not (wsss.folder / "out").exists() and not (wsss.folder / RUN).exists()
    result = wsss(*words, "--train")
    assert result.code == 0, result.text
    assert "pseudo: made labels" in result.out
    assert "pseudo-labels of toy/default on dots, 10 images of split 'train' -> out" in result.out
    for path in (wsss.folder / RUN / "pseudo/labels").glob("*.png"):
        assert (wsss.folder / "out/labels" / path.name).read_bytes() == path.read_bytes()
    assert len(list((wsss.folder / "out/labels").iterdir())) == 10


def test_predictions_of_a_split(trained: Wsss) -> None:
    words = ("--format", "coco", "--stage", "infer", "--workers", 0)
    result = trained("export", "labels", *words, "--out", "val")
    assert result.code == 0 and "infer: made labels" in result.out, result.text
    assert "file names are relative to " in result.out
    assert len(json.loads((trained.folder / "val/instances_val.json").read_text())["images"]) == 5
    result = trained("export", "labels", *words, "--split", "train", "--out", "train", "--shape", "polygon")
    assert result.code == 0 and len(list((trained.folder / RUN / "infer-train/labels").iterdir())) == 10, result.text
    rows = json.loads((trained.folder / "train/instances_train.json").read_text())["annotations"]
    assert rows and all(isinstance(row["segmentation"], list) for row in rows)


def test_the_least_certain_pseudo_labels(trained: Wsss) -> None:
    few = ("export", "labels", "--format", "label-studio", "--least-certain", 3)
    result = trained(*few, "--workers", 0, "--out", "few")
    assert result.code == 0 and "the least certain, 3 images of split 'train' -> few" in result.out, result.text
    lines = (trained.folder / RUN / "infer-train/certainty.jsonl").read_text().splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: (row["certainty"], row["id"]))
    tasks = json.loads((trained.folder / "few/tasks.json").read_text())
    assert [task["data"]["image"].rpartition("=")[2] for task in tasks] == [f"{row['id']}.png" for row in rows[:3]]
    result = trained(*few, "--procs", 2, "--out", "other")
    assert result.code == 2 and "--least-certain is for one process" in result.err


def test_a_label_map_that_is_gone_is_made_again_first(trained: Wsss) -> None:
    gone = trained.folder / RUN / "pseudo/labels/dot00.png"
    kept = gone.read_bytes()
    gone.unlink()
    result = trained("export", "labels", "--format", "yolo", "--out", "part")
    assert result.code == 0 and "pseudo: 1 of 10 files of labels/ are missing" in result.out, result.text
    assert gone.read_bytes() == kept and "left out" not in result.err
    assert len(list((trained.folder / "part/labels/train").iterdir())) == 10


def test_images_that_get_no_label_map_are_counted(trained: Wsss) -> None:
    """Those that a stage is to make none of, for want of tags."""
    data = read_prepared(trained.folder / "data/dots")
    folder = trained.folder / "some"
    folder.mkdir()
    shutil.copy(trained.folder / RUN / "pseudo/labels/dot00.png", folder)
    source, lacking = find_source(data, "train", folder, "some")
    assert [s.id for s in source.samples] == ["dot00"] and lacking == 9


def test_a_split_without_label_maps(trained: Wsss) -> None:
    wrong = trained("export", "labels", "--format", "yolo", "--out", "none", "--split", "val")
    assert wrong.code == 2 and "no label map of split 'val'" in wrong.err
    assert not (trained.folder / "none").exists()


def test_mistakes_are_found_before_anything_runs(wsss: Wsss) -> None:
    (wsss.folder / "full").mkdir()
    (wsss.folder / "full/mine.txt").touch()
    for words, says in (
        (("--format", "coco", "--out", "full"), "full exists already"),
        (("--format", "png", "--out", "out", "--shape", "rle"), "--shape does not go with --format png"),
        (("--format", "coco", "--out", "out", "--stage", "seeds"), "is not one of"),
        (("--out", "out"), "Missing option '--format'"),
    ):
        result = wsss("export", "labels", "toy", *words)
        assert result.code == 2 and says in result.err, result.text
    assert not (wsss.folder / "runs").exists()
    result = wsss("infer", "toy", "--voc-submission", "s.zip")
    assert result.code == 2 and "s.zip is to be a gzipped tar" in result.err and not (wsss.folder / "runs").exists()


def test_a_submission(trained: Wsss) -> None:
    result = trained("infer", "--voc-submission", "test.tgz", "--workers", 0)
    assert result.code == 2 and "no image in split 'test'\n" in result.err and "train, val" in result.err
    words = ("infer", "--split", "val", "--workers", 0, "--voc-submission")
    result = trained(*words, "val.tgz", "--competition", "comp5")
    assert result.code == 0 and "5 predictions of split 'val' for comp5 -> val.tgz" in result.out, result.text
    assert "VOC 2012's test set has 1,456 images, not 5" in result.err
    with tarfile.open(trained.folder / "val.tgz") as archive:
        val = read_prepared(trained.folder / "data/dots").split("val")
        assert archive.getnames() == [f"results/VOC2012/Segmentation/comp5_test_cls/{s.id}.png" for s in val]
    path = next((trained.folder / RUN / "infer/labels").glob("*.png"))
    before, labels = path.read_bytes(), read_labels(path)
    labels[0] = 255
    write_labels(path, labels)
    result = trained(*words, "again.tgz")  # what was changed by hand is no prediction: it is made again
    assert result.code == 0 and path.read_bytes() == before, result.text


def test_predictions_with_crf(trained: Wsss) -> None:
    words = ("export", "labels", "--format", "cvat", "--stage", "infer_crf", "--workers", 0, "--out", "crf")
    result = trained(*words, seconds=300)
    assert result.code == 0, result.text
    assert "predictions with CRF of toy/default on dots, 5 images" in result.out
    assert (trained.folder / "crf/annotations.xml").read_text().count("<image ") == 5
    result = trained("infer", "--split", "val", "--voc-submission", "crf.tgz")
    assert result.code == 0 and "5 predictions with CRF of split 'val' for comp6" in result.out, result.text
