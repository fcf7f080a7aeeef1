"""Parts of a stage that stay when it is made again: which, from where, and that nothing of what was there is lost."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wsss_cli.config import as_dict, parse_set, resolve
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.execute import _make_room
from wsss_cli.keeping import gather, has_more, kept_parts
from wsss_cli.plan import Step, laid_out
from wsss_cli.plugins import method
from wsss_cli.runs import Run, Settings, bring_back, previous_of, read_record, write_record
from wsss_cli.seals import damaged, seal, sums_of


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    box, mask = Box(1, 0, 0, 9, 9), tmp_path / "m.png"
    samples = tuple(
        Sample(f"i{i}", tmp_path / "a.png", 64, 64, (1,), (box,), mask, ("train", "val")) for i in range(32)
    )
    info = DatasetInfo("d", "none", ("x",), {"train": "train", "val": "val", "seeds": "train"}, "made up", hash="1")
    return Prepared(tmp_path / "d", info, samples)


def planned(data: Prepared, name: str, stage: str, *settings: str, force: bool = False) -> Step:
    """The step of a stage of a run in which others are finished."""
    asked, chain = Settings(), method(name)
    for setting in settings:
        asked = asked.updated(None, parse_set(setting))
    run = Run(data.folder / "runs", "d", name, "default")
    return laid_out(run, chain, stage, data, asked, force=force)[-1]


def finish(step: Step, **record: Any) -> Path:
    """As if it had been made: what it promises, and a file in each place of each of its parts."""
    for below, names in step.promises.items():
        (step.folder / below).mkdir(parents=True, exist_ok=True)
        for name in names:
            (step.folder / below / name).write_text(below)
    for part in step.config.parts():
        for leaf in part.leaves:
            path = step.folder / leaf if "." in leaf else step.folder / leaf / "a.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part.name)
    made = {need: f"{need} made" for need in step.inputs}
    told = {"status": "finished", "method": "m", "made": "now", "data_hash": "1", "inputs_made": made}
    told |= {"inputs": made, "fingerprint": step.fingerprint, "config": as_dict(step.config), "files": dict(step.files)}
    write_record(step.folder, told | {"seal": seal(step.folder)} | record)
    return step.folder


def again(data: Prepared, name: str, stage: str, setting: str, **record: Any) -> Step:
    """The plan with another setting once the stage, which needs no other, is made."""
    finish(planned(data, name, stage), **record)
    return planned(data, name, stage, setting)


def kept(step: Step) -> list[str]:
    return [one.part.name for one in step.kept]


ROUGH = ["rough net", "rough masks"]


@pytest.mark.parametrize(
    ("name", "stage", "setting", "parts"),
    [
        ("irn", "seeds", "seeds.scales=[1.0]", ["CAM net"]),
        ("irn", "seeds", "seeds.training.crop=100", []),
        ("irn", "seeds", "seeds.seed=1", []),
        ("beco", "seeds", "seeds.batch=1", ["CAM net"]),
        ("ppmg", "seeds", "seeds.full=false", [*ROUGH, "CAM net"]),
        ("ppmg", "seeds", "seeds.grid.stride=100", ROUGH),
        ("ppmg", "seeds", "seeds.rough.overlap=0.2", ROUGH),
        ("ppmg", "seeds", "seeds.training.crop=100", ROUGH),
        ("ppmg", "seeds", "seeds.rough.crf.iterations=3", ["rough net"]),
        ("ppmg", "seeds", "seeds.rough.training.crop=100", []),
        ("ppmg", "seeds", "seeds.samples=random_crop", []),  # the network learns from something else
        ("clipes", "seeds", "seeds.maps=3", ["text"]),
        ("clipes", "seeds", "seeds.template='a {}.'", []),
    ],
)
def test_what_a_setting_leaves_as_it_is(data: Prepared, name: str, stage: str, setting: str, parts: list[str]) -> None:
    assert kept(again(data, name, stage, setting)) == parts


IRN = ["IR labels", "IRN", "walk", "instances"]


@pytest.mark.parametrize(
    ("name", "stage", "setting", "parts"),
    [
        ("irn", "pseudo", "walk.background=0.3", IRN),
        ("beco", "pseudo", "walk.background=0.3", IRN),
        ("irn", "pseudo", "confidence=0.3", IRN),
        ("irn", "pseudo", "walk.beta=3", ["IR labels", "IRN"]),
        ("irn", "pseudo", "instances.background=0.3", ["IR labels", "IRN", "walk", "labels"]),
        ("irn", "pseudo", "training.radius=4", ["IR labels"]),
        ("irn", "pseudo", "ir_label.foreground=0.4", []),
        ("bcm", "train", "fr.loop.epochs=1", ["base", "bcm"]),
        ("bcm", "train", "shift.low=0.1", ["base"]),
        ("bcm", "train", "scales=[0.5]", []),
        ("bcm", "train", "fr.enabled=false", ["base", "bcm"]),
        ("bcm", "train", "base.enabled=false", []),
        ("ppmg", "train", "cyclic.infer.flip=false", ["first round"]),
        ("ppmg", "train", "under_fitting.beta=0.1", []),
        ("weclip", "train", "loop.batch=2", ["text"]),
        ("weclip", "train", "text.template='a {}.'", []),
        ("toco", "train", "loop.batch=2", []),
    ],
)
def test_what_depends_on_other_stages(data: Prepared, name: str, stage: str, setting: str, parts: list[str]) -> None:
    """Whatever those are: none of them has changed."""
    declared, folder = method(name).stage(stage), data.folder / "stage"
    assert declared is not None
    config = declared.config_class()
    finish(Step(stage, declared, config(), {}, folder, "1", "stale"))
    now = resolve(config, stage, parse_set(setting))
    assert [one.part.name for one in kept_parts(now, {}, [folder], lambda record: True)] == parts


def test_the_plan_says_what_is_made_and_what_is_kept(data: Prepared) -> None:
    assert again(data, "irn", "seeds", "seeds.batch=1").why == (
        "changed: batch: 4 -> 1; keeps CAM net, which read nothing of it; makes CAMs"
    )
    assert again(data, "irn", "seeds", "seeds.seed=1").why == "changed: seed: 0 -> 1"


@pytest.mark.parametrize(
    "record",
    [
        {"data_hash": "2"},
        {"data_hash": "2", "splits": {"": "other", "train": "other"}},
        {"files": {"net.pretrained": {"path": "none", "digest": "other"}}},
        {"config": {"batch": "of another version"}},
    ],
)
def test_what_was_made_of_something_else_is_not_kept(data: Prepared, record: Mapping[str, Any]) -> None:
    assert kept(again(data, "irn", "seeds", "seeds.batch=1", **record)) == []


def test_nothing_is_kept_by_force_or_without_a_record(data: Prepared) -> None:
    folder = finish(planned(data, "irn", "seeds"))
    assert kept(planned(data, "irn", "seeds", "seeds.batch=1", force=True)) == []
    (folder / "stage.json").write_text("{")
    assert kept(planned(data, "irn", "seeds", "seeds.batch=1")) == []


def test_what_a_killed_command_left_is_not_taken(data: Prepared) -> None:
    folder = finish(planned(data, "irn", "seeds"))
    gather(planned(data, "irn", "seeds", "seeds.batch=1").kept, folder.with_name(".seeds.kept"))
    _make_room(planned(data, "irn", "seeds", force=True))
    assert [path.name for path in folder.parent.iterdir()] == ["seeds.previous"]


def test_a_half_made_part_is_kept_too(data: Prepared) -> None:
    """It goes on, as an interrupted stage does."""
    assert kept(again(data, "irn", "seeds", "seeds.batch=1", status="interrupted", made=None)) == ["CAM net"]


def test_what_is_kept_is_the_same_file_and_stays_where_it_was(data: Prepared) -> None:
    first = planned(data, "irn", "seeds")
    net = finish(first) / "cam_net"
    for name in ("checkpoint.json", "metrics.jsonl"):
        (net / name).write_text("{}")
    step = planned(data, "irn", "seeds", "seeds.batch=1")
    _make_room(step)
    before = previous_of(step.folder)
    assert sorted(p.relative_to(step.folder).as_posix() for p in step.folder.rglob("*") if p.is_file()) == [
        "cam_net/a.json", "cam_net/checkpoint.json", "cam_net/checkpoint.pt", "cam_net/metrics.jsonl"
    ]  # fmt: skip
    assert sorted(p.name for p in before.iterdir()) == ["cam", "cam_net", "files.sum", "stage.json"]
    same = {path.name: path.samefile(before / "cam_net" / path.name) for path in (step.folder / "cam_net").iterdir()}
    assert [name for name, one in sorted(same.items()) if not one] == ["metrics.jsonl"]  # that one is written to
    assert not has_more(step.folder, step.kept)
    bring_back(step.folder)
    assert not before.exists() and planned(data, "irn", "seeds").status == "finished"


def test_what_is_damaged_is_not_kept(data: Prepared) -> None:
    folder = finish(planned(data, "irn", "seeds"))
    (folder / "cam_net/b.json").write_text("{}")
    write_record(folder, (read_record(folder) or {}) | {"seal": seal(folder)})
    (folder / "cam_net/a.json").write_text("other")
    gather(planned(data, "irn", "seeds", "seeds.batch=1").kept, folder.with_name("aside"))
    assert sorted(p.name for p in folder.with_name("aside").rglob("*.*")) == ["b.json", "checkpoint.pt"]
    assert damaged(folder, sums_of(folder, read_record(folder)), ["cam_net/a.json"]) == ["cam_net/a.json"]


def test_the_earlier_result_is_looked_at_as_well(data: Prepared) -> None:
    """There and back, and after a kill between setting aside and putting in place."""
    finish(planned(data, "irn", "seeds"))
    step = planned(data, "irn", "seeds", "seeds.batch=1")
    _make_room(step)
    (step.folder / "cam").mkdir()
    (step.folder / "cam/a.json").write_text("made with the other batch")
    finish(replace(step, config=step.config))
    back = planned(data, "irn", "seeds")
    assert [(one.part.name, one.folder.name) for one in back.kept] == [("CAM net", "seeds"), ("CAMs", "seeds.previous")]
    step.folder.rename(step.folder.with_name("gone"))
    killed = planned(data, "irn", "seeds")
    assert killed.status == "missing" and kept(killed) == ["CAM net", "CAMs"]
    _make_room(killed)
    assert (killed.folder / "cam/a.json").read_text() == "CAMs"


def test_a_stage_behind_a_link_stays_there(data: Prepared, tmp_path: Path) -> None:
    """However often it is made again: its earlier result and what is kept of it lie beside it, on its disk."""
    folder, big = finish(planned(data, "irn", "seeds")), tmp_path / "big"
    big.mkdir()
    folder.rename(big / "moved")
    folder.symlink_to(big / "moved")
    for batch in (1, 2, 3):
        step = planned(data, "irn", "seeds", f"seeds.batch={batch}")
        assert kept(step) == ["CAM net"]
        _make_room(step)
        assert (folder / "cam_net/checkpoint.pt").samefile(big / "moved.previous/cam_net/checkpoint.pt")
        finish(step)
        forced = planned(data, "irn", "seeds", f"seeds.batch={batch}", force=True)
        _make_room(forced)  # a kill here would leave a folder where the link leads
        assert folder.is_symlink() and not list(folder.iterdir())
        bring_back(folder)
        assert (folder / "cam/a.json").read_text() == "CAMs"
        finish(step)
    assert sorted(path.name for path in big.iterdir()) == ["moved"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["seeds"]


def test_a_link_that_leads_nowhere_is_told_in_the_plan(data: Prepared) -> None:
    folder = planned(data, "irn", "seeds").folder
    folder.parent.mkdir(parents=True)
    folder.symlink_to("/unmounted/big/seeds")
    with pytest.raises(WsssError, match=r"seeds is a link to /unmounted/big/seeds, .*\n  mount its disk"):
        planned(data, "irn", "pseudo")


def test_a_result_that_was_made_of_another_one_is_not_kept(data: Prepared) -> None:
    """Of the same settings, but at another time: whoever makes something again may get something else."""
    seeds = finish(planned(data, "irn", "seeds"))
    step = planned(data, "irn", "pseudo")
    inputs = {"seeds": (read_record(seeds) or {})["fingerprint"]}
    for made, parts in (("now", [*IRN[:3], "labels"]), ("then", [])):
        finish(step, inputs=inputs, inputs_made={"seeds": made})
        assert kept(planned(data, "irn", "pseudo", "pseudo.instances.background=0.3")) == parts
