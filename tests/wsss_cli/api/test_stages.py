"""Stages and what they leave, from Python: the same engine as the commands', which says nothing."""

import json
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wsss_cli as wsss
from made_run import METHOD, drawn_data, finished_run
from wsss_cli.api import stages
from wsss_cli.api.stages import overrides_of
from wsss_cli.data.prepared import write_prepared
from wsss_cli.plan import Step
from wsss_cli.runs import Run, read_record, write_record


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("made")
    return finished_run(Run(folder / "runs", "toy", "irn", "default"), drawn_data(folder / "data"))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"loop.epochs": 5}, {"train": {"loop": {"epochs": 5}}}),
        ({"loop": {"epochs": 5}, "loop.batch": 2}, {"train": {"loop": {"epochs": 5, "batch": 2}}}),
        ({"seeds.seed": 1, "seed": 2}, {"seeds": {"seed": 1}, "train": {"seed": 2}}),
        ({"infer": {"scales": (0.5, 1)}}, {"infer": {"scales": [0.5, 1]}}),
        ({"labels": Path("a/b")}, {"train": {"labels": "a/b"}}),
    ],
)
def test_settings_with_dots_and_dictionaries(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    assert overrides_of(settings, "train") == expected


def test_what_a_run_has_made(made: Run) -> None:
    cams, labels = wsss.read_cams(made), wsss.read_pseudo_labels(made)
    assert list(cams) == list(labels) == [f"scene_{i:02d}" for i in range(1, 12)] and "scene_00" not in cams
    cam = cams["scene_01"]
    assert cam.full().shape == (len(cam.class_ids), *labels["scene_01"].shape)
    assert set(np.unique(labels["scene_01"])) <= {0, *cam.class_ids.tolist()}
    predictions = wsss.read_predictions(made)
    assert len(predictions) == 12 == len(wsss.read_predictions(made, "val", refined=True))
    scores = wsss.read_scores(made)
    assert list(scores) == ["evaluate-seeds", "evaluate-pseudo", "evaluate"]
    assert [row["name"] for row in scores["evaluate"]["scores"]] == ["prediction", "prediction + CRF"]
    assert {report["outdated"] for report in scores.values()} == {""}
    with pytest.raises(wsss.WsssError, match=r"no folder .*infer-train.*\n.*wsss infer irn --data toy --name default"):
        wsss.read_predictions(made, "train")
    with pytest.raises(KeyError):
        cams["scene_00"]


def test_a_part_of_a_stage_is_not_given_for_the_whole(tmp_path: Path) -> None:
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), drawn_data(tmp_path / "data"))
    for stage, read in (
        ("seeds", wsss.read_cams),
        ("pseudo", wsss.read_pseudo_labels),
        ("infer", wsss.read_predictions),
    ):
        record = read_record(run.stage(stage))
        assert record is not None
        write_record(run.stage(stage), {key: record[key] for key in record if key != "sum"} | {"status": "running"})
        with pytest.raises(wsss.WsssError, match=rf"{stage} has not reached its end\n.*wsss {stage} irn --data toy"):
            read(run)


def test_a_score_of_what_was_made_again_since_says_so(tmp_path: Path) -> None:
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), drawn_data(tmp_path / "toy"))
    record = read_record(run.stage("train")) or {}
    write_record(run.stage("train"), record | {"fingerprint": "other"})
    found = {key: report["outdated"] for key, report in wsss.read_scores(run).items()}
    again = "train has run again since"
    assert found == {"evaluate-seeds": "", "evaluate-pseudo": "", "evaluate": again}


def test_runs_are_found(made: Run) -> None:
    assert wsss.list_runs(runs_root=made.root) == [made] == [wsss.open_run("irn/default", runs_root=made.root)]
    with pytest.raises(wsss.WsssError, match="did you mean 'irn/default'"):
        wsss.open_run("irn/defualt", runs_root=made.root)


@pytest.fixture
def performed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """The steps that are performed, whose functions draw their results."""
    data = drawn_data(tmp_path / "data/toy")
    write_prepared(tmp_path / "data/toy", data.info, data.samples)
    monkeypatch.chdir(tmp_path)
    for module in ("wsss_cli.api.stages", "wsss_cli.running.target"):
        monkeypatch.setattr(f"{module}.find_method", lambda name: replace(METHOD, package="wsss_irn"))
    done: list[Step] = []
    from wsss_cli import execute

    run = execute._run
    monkeypatch.setattr(execute, "_run", lambda step, *rest: (done.append(step), run(step, *rest)))
    return done


def test_a_stage_runs_as_the_command_does(performed: list[Step], capfd: pytest.CaptureFixture[str]) -> None:
    data = wsss.open_data("toy")
    run = wsss.run_stage("pseudo", "irn", data, "mine", settings={"seed": 3}, device="cpu")
    assert [step.key for step in performed] == ["seeds", "pseudo"] and run.folder == Path("runs/toy/irn/mine")
    assert capfd.readouterr().out == ""
    record = json.loads((run.stage("pseudo") / "stage.json").read_text())
    assert record["command"] == "wsss pseudo irn --data toy --name mine pseudo.seed=3"
    assert "pseudo: made labels" in (run.stage("pseudo") / "log.txt").read_text()
    wsss.run_stage("pseudo", "irn", "toy", "mine")
    assert len(performed) == 2  # finished, and the setting is remembered
    assert run.settings().overrides == {"pseudo": {"seed": 3}}
    wsss.run_stage("pseudo", "irn", "toy", "mine", force=True)
    assert [step.key for step in performed[2:]] == ["pseudo"]


def test_what_another_command_has_made_since_the_plan_is_not_gone_on_with(
    performed: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be kept under the settings of this one."""
    asked: dict[str, Any] = {"data": "toy", "name": "mine", "workers": 0}
    wsss.run_stage("seeds", "irn", **asked)
    perform = stages.perform

    def late(*args: Any) -> Any:
        monkeypatch.setattr(stages, "perform", perform)
        wsss.run_stage("seeds", "irn", settings={"seed": 1}, **asked)
        return perform(*args)

    monkeypatch.setattr(stages, "perform", late)
    with pytest.raises(wsss.WsssError, match=r"another command has worked on .*seeds since this one looked at it"):
        wsss.run_stage("seeds", "irn", settings={"seed": 2}, **asked)
    run = Run(Path("runs"), "toy", "irn", "mine")
    assert run.settings().of("seeds")["seed"] == 1 and len(performed) == 2


def test_stages_run_in_threads_each_with_its_own_log(performed: list[Step]) -> None:
    logging.getLogger("wsss").handlers.clear()
    names = ("one", "two")
    threads = [threading.Thread(target=wsss.run_stage, args=("seeds", "irn", "toy", name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        text = Path(f"runs/toy/irn/{name}/seeds/log.txt").read_text()
        assert text.count("seeds: made cam") == 1 and f"irn/{name}/seeds" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("train", "inr", "toy"), "unknown method 'inr'; did you mean 'irn'"),
        (("train", "irn", "toyy"), "no prepared data set 'toyy' in data; did you mean 'toy'"),
        (("trian", "irn", "toy"), "has no stage 'trian'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(
    asked: tuple[str, str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = drawn_data(tmp_path / "data/toy")
    write_prepared(tmp_path / "data/toy", data.info, data.samples)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(wsss.WsssError, match=message):
        wsss.run_stage(*asked)
    assert not Path("runs").exists()


def test_a_training_that_is_stopped_raises_as_python_does(
    performed: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: Any) -> None:
        raise SystemExit(130)

    monkeypatch.setattr("wsss_cli.api.stages.perform", stop)
    with pytest.raises(KeyboardInterrupt):
        wsss.run_stage("seeds", "irn", "toy")
