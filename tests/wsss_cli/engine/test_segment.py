"""What a segmentation network learns from: label maps, and masks where they are preferred."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wsss_cli.context import Context
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.engine.segment import PlainSegment, Segment, labelled, learnt_from, mask_or, to_learn
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.plan import check_sections, stages_of
from wsss_cli.plugins import method, methods
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.runs import Settings, write_record

ABLE = {"irn", "clipes", "ppmg"}


def context(*masked: str) -> Context:
    """Images a, b with pseudo-labels and c, d without, as untagged ones; e of another split."""
    made = [Sample(id, Path(f"{id}.jpg"), 9, 9, (), splits=("train" if id != "e" else "val",)) for id in "abcde"]
    samples = tuple(replace(s, mask=Path(f"masks/{s.id}.png")) if s.id in masked else s for s in made)
    info = DatasetInfo("x", "folder", ("cat",), {"train": "train", "val": "val", "seeds": "train"}, "")
    promised = {"pseudo": {"labels": ["a.png", "b.png"]}}
    return Context(Prepared(Path(), info, samples), 1, {"pseudo": Path("run/pseudo")}, promised)


@pytest.mark.parametrize("cls", [Segment, PlainSegment])
@pytest.mark.parametrize(
    ("settings", "expected", "told"),
    [
        ({}, ["run/pseudo/labels/a.png", "run/pseudo/labels/b.png"], "pseudo"),
        ({"masks": "prefer"}, ["run/pseudo/labels/a.png", "masks/b.png", "masks/c.png"], "pseudo, the masks of 2"),
        ({"labels": "masks"}, ["masks/b.png", "masks/c.png"], "masks"),
        ({"labels": "masks", "masks": "prefer"}, ["masks/b.png", "masks/c.png"], "masks"),
    ],
)
def test_masks_where_they_are(cls: type[Segment], settings: dict[str, Any], expected: list[str], told: str) -> None:
    config = cls(**settings)
    samples, place = labelled(context("b", "c", "e"), config)
    assert [str(place(s)) for s in samples] == expected and learnt_from(config, samples) == told


def test_without_masks_it_changes_nothing() -> None:
    config = Segment(masks="prefer")
    samples, place = labelled(context(), config)
    assert [s.id for s in samples] == ["a", "b"] and learnt_from(config, samples) == "pseudo"
    assert mask_or(place, samples[0]) == place(samples[0])


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (np.eye(18, dtype=np.uint8), r"b\.png is 18 x 18, but its image b\.jpg is 9 x 9"),
        (np.full((9, 9), 2, np.uint8), r"b\.png holds the id 2, the data set's classes are 1\.\.1"),
    ],
    ids=["twice-the-size", "another-id"],
)
def test_maps_of_the_runs_own_stage_fit_their_images_and_classes(tmp_path: Path, second: Any, says: str) -> None:
    known = context()
    write_labels(tmp_path / "labels/a.png", np.eye(9, dtype=np.uint8))
    write_labels(tmp_path / "labels/b.png", np.zeros((9, 9), np.uint8))
    inputs, runtime = {"pseudo": tmp_path}, Runtime(torch.device("cpu"))
    job = Job(known.data, method("irn"), "train", Segment(), tmp_path, inputs, runtime, known.promised)
    samples, place = to_learn(job, job.config)
    assert [place(s) for s in samples] == [tmp_path / "labels/a.png", tmp_path / "labels/b.png"]
    write_labels(tmp_path / "labels/b.png", second)
    with pytest.raises(WsssError, match=says):
        to_learn(job, job.config)


def test_label_maps_of_another_run_are_of_these_classes_and_images(tmp_path: Path) -> None:
    """Of a run as of a folder of its label maps; one that tells nothing of its classes is taken as it is."""
    known = context()
    tagged = replace(known.data, samples=tuple(replace(s, tags=(1,)) for s in known.data.samples))
    run = tmp_path / "irn" / "default"
    for id in "abcd":
        write_labels(run / "pseudo/labels" / f"{id}.png", np.eye(9, dtype=np.uint8))

    def learn(names: tuple[str, ...], labels: Path) -> list[Sample]:
        made_for = replace(tagged, info=replace(tagged.info, classes=names))
        record = {"status": "finished", "config": {}, "data_hash": "", "inputs": {}}
        write_record(run / "pseudo", record | ({"splits": {"": made_for.mark()}} if names else {}))
        return labelled(replace(known, data=tagged), Segment(labels=str(labels)))[0]

    for labels in (run, run / "pseudo/labels"):
        assert [s.id for s in learn(("cat",), labels)] == [s.id for s in learn((), labels)] == list("abcd")
        for others in (("ant", "cat"), ("cat", "dog"), ("dog",)):
            with pytest.raises(WsssError, match="it is of other classes than those of 'x', or of another order"):
                learn(others, labels)
    write_labels(run / "pseudo/labels/b.png", np.eye(18, dtype=np.uint8))  # of photos that were made less small
    with pytest.raises(WsssError, match=r"b\.png is 18 x 18, but its image b\.jpg is 9 x 9"):
        learn(("cat",), run)


@pytest.mark.parametrize("name", sorted(methods()))
def test_a_method_that_cannot_take_masks_says_why(name: str) -> None:
    method = methods()[name]
    settings = Settings(None, {"train": {"masks": "prefer"}})
    if name in ABLE:
        check_sections({}, settings, stages_of(method), method)
        return
    for recipe, asked in (({}, settings), ({"train": {"masks": "prefer"}}, Settings())):
        with pytest.raises(WsssError, match=rf"'{name}' makes the labels .* or changes them.*\n.* clipes, irn, ppmg"):
            check_sections(recipe, asked, stages_of(method), method)
