"""What a plugin declares is checked when it is loaded."""

from dataclasses import replace
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.load_object import load_object
from wsss_cli.method import CAMS, LABELS, REFINED, Artefact, Method, Stage
from wsss_cli.nearest import nearest


def method(*stages: Stage) -> Method:
    return Method("m", "title", "paper", "tags", stages, "m:predictor", package="wsss_cli")


def stage(name: str, *needs: str) -> Stage:
    return Stage(name, "m:run", "m:Config", needs)


def test_a_single_stage_method_dumps_seeds_after_training() -> None:
    assert [s.name for s in method(stage("train"), stage("seeds", "train"), stage("pseudo", "seeds")).stages] == [
        "train",
        "seeds",
        "pseudo",
    ]


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([stage("learn")], "stage 'learn': a method has each of seeds, pseudo, train at most once"),
        ([stage("train"), stage("train")], "stage 'train': a method has each of"),
        ([stage("train", "pseudo")], "stage 'train' needs"),
        ([stage("seeds", "train"), stage("train", "seeds")], "stage 'seeds' needs"),
        ([stage("seeds", "seeds")], "stage 'seeds' needs"),
    ],
)
def test_stages_that_do_not_fit_together(stages: list[Stage], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method(*stages)


def test_prediction_reads_stages_that_there_are() -> None:
    made = replace(method(stage("seeds"), stage("train", "seeds")), infer_needs=("train", "seeds"))
    assert made.all_stages()[-1].needs == ("train", "seeds")
    with pytest.raises(ValueError, match="infer needs stage 'seeds', of which there are"):
        replace(method(stage("train")), infer_needs=("train", "seeds"))


def test_artefacts_are_said_to_be_of_a_kind() -> None:
    with pytest.raises(ValueError, match="stage 'seeds' writes 'cam': give an Artefact, such as LABELS"):
        Stage("seeds", "m:run", "m:Config", writes=("cam",))  # type: ignore[arg-type]


def test_what_a_stage_leaves_by_kind() -> None:
    second = Artefact("labels", "labels_sure", "sure parts")
    found = method(Stage("seeds", "m:run", "m:Config", writes=(CAMS, LABELS, second)), stage("train"))
    assert found.writes("seeds", "labels") == [LABELS, second] and found.writes("seeds", "cam") == [CAMS]
    assert found.writes("train", "labels") == found.writes("pseudo", "labels") == []
    assert found.writes("infer", "labels") == [LABELS, REFINED]


@pytest.mark.parametrize("path", ["not_there:x", "wsss_cli.errors:Nothing", "wsss_cli.errors"])
def test_an_object_that_is_not_there(path: str) -> None:
    with pytest.raises(WsssError, match=f"{path} cannot be loaded"):
        load_object(path)


def test_a_module_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_module.py").write_text("{}['gone']\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WsssError, match=r"failing_module:x cannot be loaded: KeyError\('gone'\)"):
        load_object("failing_module:x")


def test_recipes_are_found_beside_the_package() -> None:
    assert method().recipe("voc").name == "voc.yaml" and method().recipes() == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ir", "; did you mean 'irn'?"),
        ("tocco", "; did you mean 'toco'?"),
        ("xyz", ""),
        ("puff", "; did you mean 'puff2' or 'puf'?"),
    ],
)
def test_nearest(word: str, message: str) -> None:
    assert nearest(word, ["irn", "toco", "puf", "puff2"]) == message
