"""Settings of scores, and what is scored of what a stage leaves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from made_run import METHOD, drawn_data, finished_run
from wsss_cli.context import Context
from wsss_cli.data.labels import label_path, read_labels, write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.method import LABELS, REFINED, Artefact
from wsss_cli.metrics.confusion import summary
from wsss_cli.metrics.evaluate import CONFUSION, Evaluate, _learnt_from, _of_image, evaluate, label_maps, worked_on
from wsss_cli.metrics.show import show_background
from wsss_cli.metrics.sweep import Sweep, chosen
from wsss_cli.plan import laid_out
from wsss_cli.plugins import method as find_method
from wsss_cli.promises import Promises
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.runs import Run, Settings, write_record

WALKED = Artefact("scores", "walked", background="pseudo.walk.background")
SURE = Artefact("labels", "labels_sure", "sure parts")
PSEUDO = {"pseudo-label": "labels"}
BOTH = {"prediction": "labels", "prediction + CRF": "labels_crf"}


def test_thresholds_are_tried_in_order_each_once() -> None:
    """The sweep adds up from one to the next: out of order it gave another mean."""
    assert Evaluate(thresholds=(0.3, 0.1, 0.3)).thresholds == (0.1, 0.3)


@pytest.mark.parametrize(
    ("source", "writes", "promised", "there", "expected"),
    [
        ("pseudo", (LABELS, SURE), {"labels": ["a.png"]}, (), PSEUDO),
        ("pseudo", (LABELS, SURE), {"labels": ["a.png"]}, ("labels_sure",), PSEUDO),  # of another time
        (
            "pseudo",
            (LABELS, SURE),
            {"labels": ["a.png"], "labels_sure": ["a.png"]},
            (),
            PSEUDO | {"pseudo-label, sure parts": "labels_sure"},
        ),
        ("pseudo", (SURE,), {"labels_sure": ["a.png"]}, (), {"pseudo-label, sure parts": "labels_sure"}),
        ("pseudo", (LABELS, SURE), {}, ("labels",), PSEUDO),  # a plugin that promises nothing
        ("pseudo", (LABELS, REFINED), {}, (), PSEUDO),
        ("infer", (), {"labels": ["a.png"]}, ("labels_crf",), {"prediction": "labels"}),
        ("infer", (), {"labels": ["a.png"], "labels_crf": ["a.png"]}, (), BOTH),
    ],
)
def test_the_label_maps_that_a_stage_promised(
    tmp_path: Path,
    source: str,
    writes: tuple[Artefact, ...],
    promised: Promises,
    there: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    method = replace(METHOD, stages=tuple(replace(s, writes=writes) for s in METHOD.stages))
    none: Any = None
    job = Job(none, method, "evaluate", Evaluate(), tmp_path, {source: tmp_path}, none, {source: promised})
    assert label_maps(job, source) == {kind: tmp_path / name for kind, name in expected.items()}


@pytest.mark.parametrize("stage", ["infer", "pseudo"])
@pytest.mark.parametrize("wrong", ["ids", "size"])
def test_a_label_map_that_cannot_be_scored_is_named(tmp_path: Path, stage: str, wrong: str) -> None:
    """As a plugin may leave one."""
    data = drawn_data(tmp_path / "data")
    folder = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), data).stage(stage)
    path = next(p for p in (folder / f"labels/{s.id}.png" for s in data.samples if s.mask) if p.is_file())
    labels = read_labels(path)
    write_labels(path, labels * 0 + 9 if wrong == "ids" else labels[1:])
    job = Job(data, METHOD, "evaluate", Evaluate(), tmp_path, {stage: folder}, Runtime(torch.device("cpu")))
    with pytest.raises(WsssError, match=rf"{path.stem} cannot be scored: prediction (holds ids|is)"):
        evaluate(job)


@pytest.mark.parametrize(
    ("splits", "background", "expected"),
    [
        (("train",), "pseudo.walk.background", "wsss pseudo irn --data d --name second walk.background=0.2"),
        (("train", "val"), "pseudo.walk.background", None),  # predictions are scored on them
        (("train",), "", ["pseudo"]),
    ],
)
def test_the_command_that_uses_the_best_background_score(
    tmp_path: Path, splits: tuple[str, ...], background: str, expected: Any
) -> None:
    samples = tuple(
        Sample(id, tmp_path / id, 9, 9, (1,), splits=splits if id == "a" else ("val",)) for id in ("a", "b")
    )
    info = DatasetInfo("d", "d", ("x",), {"train": "train", "val": "val", "seeds": "train"}, "drawn")
    folder, none = tmp_path / "irn" / "second" / "seeds", torch.zeros(0)
    record = {"status": "finished", "data_hash": "", "inputs": {}, "config": {"walk": {"background": 0.3}}}
    write_record(folder.with_name("pseudo"), record)
    swept = Sweep(Artefact("cam", "cam", background=background), (0.1, 0.2, 0.3), none, none, [0.4, 0.6, 0.6])
    stages = tuple(replace(s, writes=(WALKED,) if s.name == "pseudo" else s.writes) for s in METHOD.stages)
    method, unused = replace(METHOD, stages=stages), cast(Any, None)
    data = Prepared(tmp_path / "d", info, samples)
    job = Job(data, method, "evaluate", Evaluate(), folder.with_name("evaluate"), {"seeds": folder}, unused)
    found = chosen(job, swept, "seeds", samples[:1])
    assert (found["best"], found["miou"]) == (0.2, 0.6)
    assert found.get("command", found.get("elsewhere")) == expected
    if background:
        assert (found["setting"], found["now"]) == (background, 0.3)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"setting": None, "elsewhere": ["pseudo"]}, "no setting of irn is this score, but see: wsss evaluate"),
        ({"setting": "s.k", "now": None, "command": "wsss s irn k=0.2"}, "it is the setting s.k\nto use what was"),
        ({"setting": "s.k", "now": 0.2, "command": "wsss s irn k=0.2"}, "it is the setting s.k, which is 0.2 now\n"),
        ({"setting": "s.k", "now": 0.3, "command": None}, "predictions are scored on these images, too: choose it"),
    ],
)
def test_what_is_said_of_the_best_background_score(
    found: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr("wsss_cli.console.say", lines.append)
    show_background({"best": 0.2, "miou": 0.5} | found, {"split": "train", "method": "irn"})
    text = "".join(f"{line}\n" for line in lines)
    assert text.startswith("best background score on split train: 0.2, mIoU 50.0 %") and says in text
    assert ("wsss s irn k=0.2" in text) == (found.get("now", 0) != 0.2 and bool(found.get("command")))


def test_what_is_only_predicted_is_no_success() -> None:
    """A dog is seen beside the horse, of a few pixels: the image does not look better for that."""
    honest = torch.tensor([[90, 10, 0], [10, 90, 0], [0, 0, 0]])
    hallucinated = torch.tensor([[85, 10, 5], [10, 90, 0], [0, 0, 0]])
    sample = Sample("horse", Path("horse.jpg"), 20, 10, (1,))
    good, worse = (_of_image(sample, summary(matrix)) for matrix in (honest, hallucinated))
    assert worse["miou"] < 2 / 3 * good["miou"] + 0.01 and worse["iou"]["2"] == 0 and worse["truth"] == [0, 1]
    assert "2" not in good["iou"]


@pytest.mark.parametrize("void", [1, 12])
def test_masks_that_are_void(tmp_path: Path, void: int) -> None:
    """One image without a pixel to score has no mIoU, and JSON no NaN; where none has a pixel there is no score."""
    data = drawn_data(tmp_path / "data")
    folder = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), data).stage("infer")
    for sample in data.split("val")[:void]:
        assert sample.mask
        write_labels(sample.mask, read_labels(sample.mask) * 0 + 255)
    (out := tmp_path / "evaluate").mkdir()
    job = Job(data, METHOD, "evaluate", Evaluate(), out, {"infer": folder}, Runtime(torch.device("cpu")))
    if void == 12:
        with pytest.raises(WsssError, match="prediction: no pixel can be scored, for each is void"):
            evaluate(job)
        return
    evaluate(job)
    rows = [json.loads(line) for line in (out / "per_image.jsonl").read_text().splitlines()]
    assert [row["miou"] is None for row in rows].count(True) == 1
    assert not any("NaN" in path.read_text() for path in out.glob("*.json*"))


def test_what_scores_are_made_of_is_kept(tmp_path: Path) -> None:
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), drawn_data(tmp_path / "data"))
    folder = run.stage("evaluate")
    report = json.loads((folder / "scores.json").read_text())
    found = json.loads((folder / CONFUSION).read_text())
    assert list(found["matrices"]) == [row["name"] for row in report["scores"]]
    assert found["classes"][0] == "background" and len(found["classes"]) == 4
    for row in report["scores"]:
        matrix = torch.tensor(found["matrices"][row["name"]])  # (K, K + 1)
        right, truth, predicted = summary(matrix).double()
        assert list(row["recall"].values()) == pytest.approx((right / truth).tolist())
        assert list(row["precision"].values()) == pytest.approx((right / predicted).tolist())
    assert 0 < report["calibration"]["ece"] < 1
    pixels = sum(part["pixels"] for part in report["calibration"]["bins"])
    assert pixels == torch.tensor(found["matrices"]["prediction"]).sum()
    images = [json.loads(line) for line in (folder / "per_image.jsonl").read_text().splitlines()]
    assert len(images) == 12 and all(0 < image["certainty"] < 1 and "0" in image["iou"] for image in images)


def test_what_pseudo_labels_leave_open_is_told_but_not_scored(tmp_path: Path) -> None:
    data = drawn_data(tmp_path / "data")
    pseudo = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), data).stage("pseudo")
    opened = 0
    for sample in (s for s in data.split("train") if s.mask):
        ids = read_labels(label_path(pseudo, sample))
        ids[:20] = 255
        write_labels(label_path(pseudo, sample), ids)
        opened += int((read_labels(cast(Path, sample.mask))[:20] != 255).sum())
    cpu, folder = Runtime(torch.device("cpu")), tmp_path / "evaluate-pseudo"
    folder.mkdir()
    evaluate(Job(data, METHOD, "evaluate-pseudo", Evaluate(), folder, {"pseudo": pseudo}, cpu))
    (row,) = json.loads((folder / "scores.json").read_text())["scores"]
    matrix = torch.tensor(json.loads((folder / CONFUSION).read_text())["matrices"]["pseudo-label"])  # (K, K + 1)
    assert matrix[:, -1].sum() == opened and row["ignored"] == pytest.approx(opened / int(matrix.sum()))
    right, truth, _ = summary(matrix[:, :-1]).double()
    assert list(row["recall"].values()) == pytest.approx((right / truth).tolist())


@pytest.mark.parametrize(
    ("promised", "supervision", "expected"),
    [
        ({"labels": ["both.png"]}, "tags", ["both", "nothing"]),
        ({"labels": ["both.png"]}, "boxes", ["both", "tags", "nothing"]),  # boxes are not to be had of a tag
        ({"cam": ["both.npz"], "rough": ["tags.png"]}, "tags", ["both", "tags", "nothing"]),
        ({"": ["checkpoint.pt"]}, "tags", ["both", "tags", "nothing"]),  # it says nothing of images
        ({}, "tags", ["both", "tags", "nothing"]),
    ],
)
def test_images_that_a_stage_was_to_make_something_of(
    promised: Promises, supervision: str, expected: list[str]
) -> None:
    box = Box(1, 0, 0, 4, 4)
    samples = [
        Sample("both", Path("a.jpg"), 20, 10, (1,), boxes=(box,)),
        Sample("tags", Path("b.jpg"), 20, 10, (1,)),
        Sample("nothing", Path("c.jpg"), 20, 10, ()),
    ]
    assert [s.id for s in worked_on(samples, promised, supervision)] == expected


@pytest.mark.parametrize(("role", "asked"), [("part", None), ("train", "part")])
def test_scores_depend_on_which_images_the_scored_split_has(tmp_path: Path, role: str, asked: str | None) -> None:
    """Also where another split, whose images stay the same, has all of them."""

    def marks(part: str) -> dict[str, str]:
        samples = tuple(
            Sample(id, tmp_path / id, 9, 9, (1,), mask=tmp_path / id, splits=("train", "part")[: 1 + (id in part)])
            for id in "abc"
        )
        splits = {"train": "train", "val": "val", "seeds": role}
        context = Context(
            Prepared(tmp_path, DatasetInfo("d", "d", ("x",), splits, "drawn"), samples), inputs={"seeds": tmp_path}
        )
        read = Evaluate(split=asked).reads(context)
        assert read is not None
        return {split: context.data.mark(split) for split in read}

    assert marks("ab") == marks("ab") != marks("bc")


@pytest.mark.parametrize(
    ("settings", "depends"),
    [({}, False), ({"instances": True, "true_instances": "x.json"}, False), ({"instances": True}, True)],
)
def test_scores_of_instances_depend_on_the_true_objects_of_the_data_set(
    tmp_path: Path, settings: dict[str, Any], depends: bool
) -> None:
    """Which are in no split: prepared again with others, the data set's splits are what they were."""
    data, run = drawn_data(tmp_path / "data"), Run(tmp_path / "runs", "toy", "irn", "default")

    def marks(objects: str) -> list[str]:
        known = replace(data, info=replace(data.info, objects=(objects,)))
        steps = laid_out(run, find_method("irn"), "evaluate-pseudo", known, Settings(None, {"evaluate": settings}))
        return [step.fingerprint for step in steps]

    one, other = marks("one"), marks("other")
    assert one[:-1] == other[:-1] and (one[-1] != other[-1]) == depends


@pytest.mark.parametrize(
    ("name", "trained", "scored", "learnt"),
    [
        ("irn", {"labels": "pseudo"}, "val", 0),
        ("irn", {"labels": "pseudo"}, "train", 11),  # one has no tags, so no pseudo-label
        ("irn", {"labels": "masks"}, "train", 11),  # one has no mask
        ("irn", {"labels": "pseudo", "masks": "prefer"}, "train", 12),
        ("irn", {"labels": "masks", "split": "val"}, "val", 12),
        ("irn", {"labels": "gone"}, "train", None),
        ("irn", {"length": 3}, "train", None),  # of another version
        ("irn", None, "train", None),
        ("toco", {}, "train", 11),
        ("toco", {"checkpoint": "taken.pt"}, "train", None),
    ],
)
def test_scored_images_that_were_learnt_from_are_counted(
    tmp_path: Path, name: str, trained: dict[str, Any] | None, scored: str, learnt: int | None
) -> None:
    drawn, method, none = drawn_data(tmp_path / "data"), find_method(name), cast(Any, None)
    bare = tuple(replace(s, tags=() if s.id == "scene_01" else s.tags) for s in drawn.samples)
    data, run = replace(drawn, samples=bare), Run(tmp_path / "runs", "toy", name, "default")
    for stage in method.stages:
        own = trained if stage.name == "train" else {}
        needs = [] if (own or {}).get("labels") in ("masks", "gone") else stage.needs
        record = {"status": "finished", "data_hash": "", "config": own, "inputs": dict.fromkeys(needs, "")}
        if own is not None:
            write_record(run.stage(stage.name), record)
    infer = run.stage("infer")
    job = Job(data, method, "evaluate", Evaluate(), run.stage("evaluate"), {"infer": infer}, none)
    assert _learnt_from(job, data.split(scored)) == learnt
