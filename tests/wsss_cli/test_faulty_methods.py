"""A method of a third party that is not as the plugin API wants it: what is said names it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wsss_cli.config import StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.engine.infer import Infer
from wsss_cli.errors import WsssError
from wsss_cli.execute import execute
from wsss_cli.job import Job
from wsss_cli.method import LABELS, Artefact, Method, Stage
from wsss_cli.parts import Part
from wsss_cli.plan import plan
from wsss_cli.plugins import broken
from wsss_cli.promises import Promises, each
from wsss_cli.ranks.distributed import process_group
from wsss_cli.runs import Run, Settings


class Plain:
    """No settings at all."""


class Sound(StageConfig):
    def images(self, context: Context) -> Any:
        return context.data.split("train")

    def promises(self, context: Context) -> Promises:
        return {"labels": each(self.images(context), ".png")}


class Unpromised(StageConfig):
    pass


class ListOfPromises(Sound):
    def promises(self, context: Context) -> Any:
        return ["a.png"]


class TextPromised(Sound):
    def promises(self, context: Context) -> Any:
        return {"labels": "a.png"}


class ImagesOnce(Sound):
    def images(self, context: Context) -> Iterator[Sample]:
        return iter(context.data.split("train"))


class TextRead(Sound):
    def reads(self, context: Context) -> Any:
        return "train"


class NothingUnneeded(Sound):
    def unneeded(self) -> Any:
        return None


class StrangeSetting(Sound):
    def parts(self) -> Sequence[Part]:
        return (Part("net", ("net",), ("sead",)),)


class LaterPart(Sound):
    def parts(self) -> Sequence[Part]:
        return (Part("walk", ("walk",), of=("net",)), Part("net", ("net",)))


def writes_others(job: Job) -> None:
    for sample in job.data.split("train"):
        (job.folder / "labels").mkdir(exist_ok=True)
        (job.folder / "labels" / f"{sample.id}.npy").touch()


def writes_nothing(job: Job) -> None:
    pass


def writes_all_but_one(job: Job) -> None:
    (job.folder / "labels").mkdir(exist_ok=True)
    for sample in job.data.split("train")[1:]:
        (job.folder / "labels" / f"{sample.id}.png").touch()


def writes_all(job: Job) -> None:
    writes_all_but_one(job)
    (job.folder / "labels/i0.png").touch()


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    samples = []
    for i in range(3):
        (tmp_path / f"i{i}.png").write_bytes(b"")
        samples.append(Sample(f"i{i}", tmp_path / f"i{i}.png", 8, 8, (1,), splits=("train", "val")))
    info = DatasetInfo("d", "none", ("x",), {"train": "train", "val": "val", "seeds": "train"}, "made up", hash="1")
    return Prepared(tmp_path / "d", info, tuple(samples))


def with_stage(config: str, run: str = "writes_all", writes: tuple[Artefact, ...] = (LABELS,), **more: Any) -> Method:
    stage = Stage("pseudo", f"{__name__}:{run}", f"{__name__}:{config}", writes=writes)
    return Method("mine", "title", "paper", "tags", (stage,), "m:p", package="wsss_cli", **more)


def planned(data: Prepared, method: Method, target: str = "pseudo") -> Any:
    return plan(Run(data.folder / "runs", "d", "mine", "default"), method, target, data, Settings())


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("Plain", ":Plain is no StageConfig\n  the settings class of stage 'pseudo' is one"),
        ("writes_all", ":writes_all is no StageConfig"),
        ("ListOfPromises", ":ListOfPromises.promises returned ['a.png']\n  it is to return names of files by folder"),
        ("TextPromised", ":TextPromised.promises returned {'labels': 'a.png'}"),
        ("ImagesOnce", ":ImagesOnce.images returned <list_iterator"),
        ("TextRead", ":TextRead.reads returned 'train'"),
        ("NothingUnneeded", ":NothingUnneeded.unneeded returned None"),
        ("StrangeSetting", ":StrangeSetting.parts: part 'net' names the setting 'sead', which there is not; did you m"),
        ("LaterPart", ":LaterPart.parts: part 'walk' is made of part 'net', which does not come before it"),
    ],
)
def test_settings_that_are_not_what_the_plan_asks_for(data: Prepared, config: str, says: str) -> None:
    assert [step.key for step in planned(data, with_stage("Sound"))] == ["pseudo"]
    with pytest.raises(WsssError) as caught:
        planned(data, with_stage(config))
    assert __name__ + says in str(caught.value) and "mend the plugin" in caught.value.remedy


def test_settings_of_infer_are_below_the_hosts() -> None:
    assert with_stage("Sound").all_stages()[-1].config_class() is Infer
    with pytest.raises(
        WsssError, match=r":Sound is no Infer\n  the settings class of stage 'infer' is one, of wsss_cl"
    ):
        with_stage("Sound", infer=f"{__name__}:Sound").all_stages()[-1].config_class()


def test_check_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    every = {"mine": with_stage("Plain", infer=f"{__name__}:Sound"), "sound": with_stage("Sound")}
    monkeypatch.setattr("wsss_cli.plugins.methods", lambda: every)
    said = [f"{__name__}:Plain is no StageConfig", f"{__name__}:Sound is no Infer"]
    assert broken() == [f"method 'mine': {what}" for what in said]


@pytest.mark.parametrize("field", ["leaves", "settings", "of"])
def test_a_part_whose_comma_was_forgotten(field: str) -> None:
    with pytest.raises(WsssError, match=rf"part 'net' of a stage: {field} = 'net' is no tuple\n  write \('net',\)"):
        Part(**{"name": "net", "leaves": (), field: "net"})


def test_labels_to_learn_from_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="supervision 'tag': give one of tags, boxes"):
        replace(with_stage("Sound"), supervision="tag")  # type: ignore[arg-type]


def carried_out(data: Prepared, method: Method) -> None:
    with process_group("cpu", 0, False) as runtime:
        execute(planned(data, method), data, method, runtime)


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (
            "writes_others",
            "pseudo: 3 of 3 files of labels/ are missing, first i0.png in {folder}\n  {here}:Sound.promises names "
            "them, and {here}:writes_others writes others, first i0.npy: mend the plugin",
        ),
        ("writes_nothing", "{here}:Sound.promises names them, and {here}:writes_nothing writes none there"),
        (
            "writes_all_but_one",
            "1 of 3 files of labels/ are missing, first i0.png in {folder}\n  was something removed",
        ),
    ],
)
def test_a_promise_that_is_not_kept(data: Prepared, run: str, says: str) -> None:
    with pytest.raises(WsssError) as caught:
        carried_out(data, with_stage("Sound", run))
    folder = data.folder / "runs/d/mine/default/pseudo"
    assert says.format(folder=folder, here=__name__) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "writes", "made"),
    [("Sound", (LABELS,), "labels"), ("Sound", (), "labels"), ("Unpromised", (), "its results")],
)
def test_what_a_stage_made_is_there(data: Prepared, config: str, writes: Any, made: str, caplog: Any) -> None:
    caplog.set_level("INFO", "wsss")
    carried_out(data, with_stage(config, writes=writes))
    assert any(message.startswith(f"pseudo: made {made} in 0 s") for message in caplog.messages)
