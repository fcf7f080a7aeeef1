"""First stages that another run has made: taken where they are the same, not otherwise."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wsss_cli.config import merge
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.method import Method
from wsss_cli.plan import Step, plan
from wsss_cli.plugins import method
from wsss_cli.runs import Run, Settings, read_record, write_record
from wsss_cli.sharing import share

SEEDS = {"seeds": {"net": {"backbone": "test_resnet", "pretrained": "none"}, "training": {"loop": {"batch": 1}}}}
IRN, BECO = method("irn"), method("beco")


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    sample = Sample("a", tmp_path / "a.png", 64, 64, (1,), (), tmp_path / "m.png", ("train", "val"))
    info = DatasetInfo("d", "none", ("x",), {"train": "train", "val": "val", "seeds": "train"}, "made up", hash="1")
    return Prepared(tmp_path / "d", info, (sample,))


def seeds_of(run: Run, owner: Method, data: Prepared, seed: int = 0) -> list[Step]:
    return plan(run, owner, "seeds", data, Settings(None, merge(SEEDS, {"seeds": {"seed": seed}})))


@pytest.fixture
def made(data: Prepared, tmp_path: Path) -> Run:
    """IRN's seeds with seed 0, as if they had been made."""
    run = Run(tmp_path / "runs", "d", "irn", "seed0")
    (step,) = seeds_of(run, IRN, data)
    for name in ("cam/a.npz", "cam_net/checkpoint.pt"):
        path = step.folder / name
        path.parent.mkdir(parents=True)
        path.write_text("made", encoding="utf-8")
    record = {"status": "finished", "method": "irn", "made": "now", "data_hash": "1", "inputs": {}, "inputs_made": {}}
    write_record(step.folder, record | {"fingerprint": step.fingerprint, "config": step.config.model_dump(mode="json")})
    return run


def test_the_same_seeds_are_taken(data: Prepared, made: Run) -> None:
    mine = replace(made, method="beco")
    share(seeds_of(mine, BECO, data), mine, [(made, IRN)])
    assert (mine.folder / "seeds/cam/a.npz").read_text() == "made"
    record = read_record(mine.folder / "seeds") or {}
    assert (record["method"], record["shared"], record["made"]) == ("beco", "irn/seed0", "now")
    assert [step.status for step in seeds_of(mine, BECO, data)] == ["finished"]
    assert sorted(path.name for path in mine.folder.iterdir()) == ["seeds"]
    assert json.loads((made.folder / "seeds/stage.json").read_text())["method"] == "irn"


def test_what_is_stale_is_set_aside_for_it(data: Prepared, made: Run) -> None:
    mine = replace(made, method="beco")
    share(seeds_of(mine, BECO, data), mine, [(made, IRN)])
    changed = seeds_of(made, IRN, data, seed=1)
    write_record(
        made.folder / "seeds",
        (read_record(made.folder / "seeds") or {})
        | {"fingerprint": changed[0].fingerprint, "config": changed[0].config.model_dump(mode="json")},
    )
    share(seeds_of(mine, BECO, data, seed=1), mine, [(made, IRN)])
    assert [step.status for step in seeds_of(mine, BECO, data, seed=1)] == ["finished"]
    assert (mine.folder / "seeds.previous/cam/a.npz").exists()


def test_others_are_not_taken(data: Prepared, made: Run) -> None:
    mine = replace(made, method="beco")
    record = read_record(made.folder / "seeds") or {}
    other_function = replace(IRN, stages=(replace(IRN.stages[0], run="wsss_irn.stages:other"), *IRN.stages[1:]))
    of_the_host = replace(
        BECO, stages=(replace(BECO.stages[0], run="wsss_cli.classifier.stages:seeds"), *BECO.stages[1:])
    )
    share(seeds_of(mine, BECO, data, seed=1), mine, [(made, IRN)])
    share(seeds_of(mine, BECO, data), mine, [(made, other_function)])
    share(seeds_of(mine, of_the_host, data), mine, [(made, of_the_host)])
    for changed in ({"status": "running"}, {"inputs_made": {"train": "then"}}):
        write_record(made.folder / "seeds", record | changed)
        share(seeds_of(mine, BECO, data), mine, [(made, IRN)])
    assert not mine.folder.exists()
