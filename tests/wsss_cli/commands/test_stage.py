"""The stage commands through the entry point: what runs, what is skipped, what is remembered, what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from processes import Wsss
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.stage import resolve_target
from wsss_cli.data.prepared import read_prepared, write_prepared
from wsss_cli.errors import WsssError
from wsss_cli.method import Stage
from wsss_cli.runs import Run, Settings

RUN = Path("runs/dots/toy/default")


def record(wsss: Wsss, stage: str, run: Path = RUN) -> dict[str, Any]:
    return json.loads((wsss.folder / run / stage / "stage.json").read_text())


def said(text: str) -> list[str]:
    """The stages that a command says it runs, in order."""
    return [line.partition(":")[0] for line in text.splitlines() if " -> " in line and ": made " not in line]


@pytest.fixture
def trained(wsss: Wsss) -> Wsss:
    result = wsss("train", "toy", "--workers", 0)
    assert result.code == 0, result.text
    assert said(result.out) == ["seeds", "pseudo", "train"]
    assert "next: wsss evaluate" in result.out
    return wsss


def test_what_is_needed_runs_first_and_what_is_finished_is_skipped(wsss: Wsss) -> None:
    first = wsss("pseudo", "toy")
    assert first.code == 0 and said(first.out) == ["seeds", "pseudo"]
    assert "pseudo: made labels in" in first.out and "next: wsss train" in first.out
    again = wsss("pseudo")
    assert again.code == 0 and "pseudo: finished already" in again.out and said(again.out) == []


def test_the_record_tells_all(trained: Wsss) -> None:
    train, pseudo = record(trained, "train"), record(trained, "pseudo")
    assert train["status"] == "finished" and train["method"] == "toy" and train["data"] == "dots"
    assert train["config"]["net"] == {"width": 5, "dropout": 0.0, "centre": False}  # the recipe of the data's kind
    assert train["config"]["lr"] == 0.1 and train["config"]["loop"]["batch"] == 4
    assert train["inputs"] == {"pseudo": pseudo["fingerprint"]}
    assert train["inputs_made"] == {"pseudo": pseudo["made"]}
    assert train["input_folders"] == {"pseudo": "../pseudo"}
    assert train["command"] == "wsss train toy --workers 0"
    assert train["machine"]["ranks"] == 1 and train["seed"] == 0
    assert train["seconds"] > 0 and train["peak_memory_gib"] > 0
    assert {"python", "torch", "wsss"} <= train["versions"].keys()
    assert set(train["metrics"]) == {"colour", "size", "seconds"}
    assert pseudo["metrics"] == {"mean": 1.5}
    config = yaml.safe_load((trained.folder / RUN / "train/config.yaml").read_text())
    assert config["train"] == train["config"]
    log = (trained.folder / RUN / "train/log.txt").read_text()
    assert "train: not made yet" in log and "made checkpoint.pt" in log


def test_a_changed_setting_is_named_and_makes_what_follows_again(trained: Wsss) -> None:
    before = (trained.folder / RUN / "pseudo/labels/dot00.png").stat().st_mtime_ns
    dry = trained("train", "--set", "seeds.gain=0.5", "--dry-run")
    assert "seeds: would run (changed: gain: 1.0 -> 0.5)" in dry.out
    assert (
        "train: would run (changed: stage pseudo)" in dry.out and not (trained.folder / RUN / "seeds.previous").exists()
    )
    result = trained("pseudo", "--set", "seeds.gain=0.5")
    assert "seeds: changed: gain: 1.0 -> 0.5" in result.out and said(result.out) == ["seeds", "pseudo"]
    kept = trained.folder / RUN / "pseudo.previous/labels/dot00.png"
    assert kept.stat().st_mtime_ns == before


def test_a_forced_stage_makes_what_follows_stale(trained: Wsss) -> None:
    forced = trained("seeds", "--force")
    assert "seeds: --force" in forced.out and said(forced.out) == ["seeds"]
    assert (trained.folder / RUN / "seeds.previous/stage.json").exists()
    then = trained("train", "--dry-run")
    assert "seeds: finished" in then.out and "pseudo: would run (changed: stage seeds was made again)" in then.out


def test_an_unfinished_result_does_not_replace_the_finished_one_kept_aside(wsss: Wsss) -> None:
    assert wsss("seeds", "toy").code == 0
    assert wsss("seeds", "gain=2", TOY_CRASH="1").code == 1
    assert wsss("seeds", "gain=3").code == 0
    assert record(wsss, "seeds")["config"]["gain"] == 3
    assert record(wsss, "seeds.previous")["config"]["gain"] == 1


def test_another_data_set_of_the_same_name_is_noticed(trained: Wsss) -> None:
    assert trained("prepare", "dots", "--images", 15, "--seed", 1, "--force").code == 0
    assert "seeds: would run (changed: split 'train' of the data set)" in trained("train", "--dry-run").out


def test_settings_of_a_run_are_remembered_and_said(wsss: Wsss) -> None:
    assert wsss("seeds", "toy", "--set", "gain=0.5", "--name", "half").code == 0
    assert yaml.safe_load((wsss.folder / "runs/dots/toy/half/run.yaml").read_text())["set"] == {"seeds": {"gain": 0.5}}
    again = wsss("pseudo", "threshold=0.25")
    assert "settings kept from before: seeds.gain=0.5 (runs/dots/toy/half/run.yaml)" in again.out
    assert (
        said(again.out) == ["pseudo"]
        and record(wsss, "pseudo", Path("runs/dots/toy/half"))["config"]["threshold"] == 0.25
    )
    other = wsss("seeds", "toy", "--dry-run")  # a run of another name starts from the defaults
    assert "seeds: would run (not made yet) -> runs/dots/toy/default/seeds" in other.out


def test_a_run_begins_from_another(trained: Wsss) -> None:
    """With its settings, and what of its stages is the same; that one stays as it was."""
    stages = [trained.folder / RUN / stage for stage in ("seeds", "pseudo", "train")]
    before = {path: path.stat() for stage in stages for path in stage.rglob("*")}
    words = ("train", "--from", "default", "--name", "second", "pseudo.threshold=0.25")
    assert trained("pseudo", "--name", "other", "--from", "toy/default", "--dry-run").code == 0
    result = trained(*words, "--workers", 0)
    assert result.code == 0, result.text
    begun = [line for line in result.out.splitlines() if "begins with that of toy/default" in line]
    assert said("\n".join(begun)) == ["seeds", "pseudo", "train"]
    assert said(result.out)[3:] == ["pseudo", "train"] and "pseudo: changed: threshold: 0.5 -> 0.25" in result.out
    second = trained.folder / "runs/dots/toy/second"
    assert (second / "seeds/cam/dot00.npy").samefile(stages[0] / "cam/dot00.npy")
    assert record(trained, "seeds", second)["made"] == record(trained, "seeds")["made"]
    assert {path: path.stat().st_mtime_ns for path in before} == {p: stat.st_mtime_ns for p, stat in before.items()}
    again = trained(*words)
    assert "train: finished already" in again.out and "begins with" not in again.out
    assert not (trained.folder / "runs/dots/toy/other").exists()


@pytest.mark.parametrize(
    ("method", "begin", "name", "message"),
    [
        ("irn", "first", None, "--from begins another run\n.*--name NEW"),
        ("irn", "first", "first", "--from begins another run"),
        ("irn", "fist", "second", "there is no run 'irn/fist' .*did you mean 'irn/first'"),
        ("beco", "irn/first", "second", "--from: run irn/first is of another method\n.*name one of beco"),
    ],
)
def test_a_run_that_none_can_begin_from(
    tmp_path: Path, method: str, begin: str, name: str | None, message: str
) -> None:
    Run(tmp_path, "d", "irn", "first").save_settings(Settings())
    options = RunOptions(name=name, begin=begin, runs_root=tmp_path)
    with pytest.raises(WsssError, match=message):
        resolve_target("train", [method], options, {}, {})


def test_ways_to_give_a_setting(wsss: Wsss) -> None:
    (wsss.folder / "mine.yaml").write_text("train:\n  lr: 1e-3\n  loop: {epochs: 1}\n")
    words = [
        "--recipe",
        "mine.yaml",
        "net.dropout=0.5",
        "--set",
        "train.net.width=3",
        "--set",
        "loop.save_minutes=1e-1",
    ]
    assert wsss("train", "toy", "--workers", 0, *words).code == 0
    config = record(wsss, "train")["config"]
    assert config["lr"] == 0.001 and config["net"] == {"width": 3, "dropout": 0.5, "centre": False}
    assert config["loop"]["epochs"] == 1 and config["loop"]["batch"] == 4  # the stage's own default, not Loop's
    assert config["loop"]["save_minutes"] == 0.1


def test_labels_masks_needs_no_pseudo_labels(wsss: Wsss) -> None:
    result = wsss("train", "toy", "labels=masks", "loop.epochs=1", "--workers", 0)
    assert result.code == 0 and said(result.out) == ["train"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "toi"], "unknown method 'toi'; did you mean 'toy'?"),
        (["train", "toy", "--data", "dot"], "no prepared data set 'dot' in data; did you mean 'dots'?"),
        (["train", "toy", "--recipe", "slo"], "method 'toy' has no recipe 'slo'; did you mean 'slow'?"),
        (
            ["train", "toy", "--recipe", "lits.yaml"],
            "--recipe lits.yaml: there is no such file; did you mean 'list.yaml'?",
        ),
        (["train", "toy", "net.widht=3"], "unknown key 'train.net.widht'; did you mean 'width'?"),
        (["train", "toy", "epochs=3"], "unknown key 'train.epochs'; did you mean 'train.loop.epochs'?"),
        (["train", "toy", "--set", "seed.gain=1"], "'train.seed' = {'gain': 1}: input should be a valid integer"),
        (["train", "toy", "net.width=wide"], "'train.net.width' = 'wide': input should be a valid integer"),
        (["train", "toy", "net.width=0"], "'train.net.width' = 0: input should be greater than 0"),
        (["train", "toy", "net=3"], "'train.net' = 3: input should be"),
        (["train", "toy", "--set", "lr"], "--set 'lr' is not KEY=VALUE"),
        (["train", "toy", "lr=[1"], "--set lr: the value '[1' is not YAML"),
        (["train", "toy", "irn"], "more than one method named: toy, irn"),
        (["train", "toy", "--name", "a/b"], "'a/b' cannot name a folder"),
        (["train", "toy", "--recipe", "bad.yaml"], "unknown stage 'trian' in the settings; did you mean 'train'?"),
        (["train", "toy", "--recipe", "list.yaml"], "list.yaml must hold a mapping"),
        (["train", "toy", "--gpus", 4], "--gpus 4: this machine has no GPU that torch can use\n  use --procs 4"),
        (["train", "toy", "--gpus", 1, "--procs", 1], "--gpus and --procs exclude each other"),
        (["train", "toy", "--nodes", 2], "--nodes needs --rendezvous HOST:PORT"),
        (["train", "toy", "--device", "cuda"], "--device cuda: no GPU is visible"),
        (["train"], "there is no run in runs yet"),
        (["report", "toy", "--data", "dots", "--compare", "toy"], "there is no run 'dots/toy' in runs"),
        (["prepare", "dots", "--images", 2], "dots.images = 2 leaves a split without images"),
        (
            ["prepare", "dots", "--images", 0],
            "'dots.images' = 0: input should be greater than 0\n  see: wsss prepare dots",
        ),
    ],
)
def test_mistakes_are_named(wsss: Wsss, words: list[object], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (wsss.folder / "bad.yaml").write_text("trian:\n  lr: 1\n")
    (wsss.folder / "list.yaml").write_text("- 1\n")
    if words[0] == "report":
        assert wsss("seeds", "toy").code == 0
    before = sorted(wsss.folder.rglob("*"))
    result = wsss(*words, CUDA_VISIBLE_DEVICES="")
    assert (result.code, result.out) == (2, "")
    assert message in result.err and "Traceback" not in result.err
    assert sorted(wsss.folder.rglob("*")) == before  # nothing half-written


def test_debug_gives_the_traceback_and_works_anywhere_on_the_line(wsss: Wsss) -> None:
    for words in (["--debug", "train", "toi"], ["train", "toi", "--debug"]):
        result = wsss(*words)
        assert result.code == 1 and "Traceback" in result.err and "WsssError: unknown method 'toi'" in result.err


def test_a_crashed_per_image_stage_goes_on_where_it_was(wsss: Wsss) -> None:
    crash = wsss("seeds", "toy", TOY_CRASH="3")
    assert crash.code == 1 and "crashed for the test" in crash.err
    assert record(wsss, "seeds")["status"] == "failed"
    assert "RuntimeError: crashed for the test" in (wsss.folder / RUN / "seeds/log.txt").read_text()
    cams = sorted((wsss.folder / RUN / "seeds/cam").iterdir())
    stamps = [p.stat().st_mtime_ns for p in cams]
    leftover = wsss.folder / RUN / "seeds/.x.npy.1.part"
    leftover.write_text("of a killed writer")
    again = wsss("seeds", "toy")
    assert again.code == 0 and "seeds: goes on: it failed" in again.out
    assert record(wsss, "seeds")["metrics"] == {"images": 10, "made": 7}
    assert [p.stat().st_mtime_ns for p in cams] == stamps and len(cams) == 3 and not leftover.exists()


def test_two_commands_on_one_run_do_not_mix(wsss: Wsss) -> None:
    (wsss.folder / RUN).mkdir(parents=True)
    with FileLock(wsss.folder / RUN / ".lock"):
        result = wsss("seeds", "toy")
        assert result.code == 2 and "another command is working on runs/dots/toy/default" in result.err
        assert wsss("seeds", "toy", "--name", "other").code == 0
    assert wsss("seeds", "toy").code == 0


def test_a_full_disk_leaves_nothing_half_written(trained: Wsss) -> None:
    def full() -> None:
        def write_text(path: Path, text: str, **_: object) -> int:
            path.write_bytes(text.encode()[:10])
            raise OSError(28, "No space left on device")

        Path.write_text = write_text  # type: ignore[method-assign]
        trained._main(["seeds", "--force"])

    from processes import Forked

    shutil.rmtree(trained.folder / RUN / "seeds")
    result = Forked(full, trained.folder, trained.paths()).wait()
    assert result.code == 2, result.text
    assert "no space left while writing" in result.err and "free some space" in result.err
    assert not list(trained.folder.rglob("*.part")) and not list((trained.folder / RUN).glob("seeds/*"))


def test_plain_lines_without_colour_when_not_a_terminal(wsss: Wsss) -> None:
    for env in ({}, {"NO_COLOR": "1"}):
        result = wsss("seeds", "toy", "--force", **env)
        assert result.code == 0 and "\x1b" not in result.text
        assert "seeds: 10 of 10 images, " in result.out


def test_a_broken_plugin_is_a_warning(wsss: Wsss, tmp_path: Path) -> None:
    info = tmp_path / "bad/broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    entries = "[wsss.methods]\ngone = not_there:METHOD\nodd = wsss_toy:DATASET\ntoy = wsss_toy:METHOD\n"
    (info / "entry_points.txt").write_text(entries + "[wsss.datasets]\nlost = wsss_toy:nothing\n")
    broken = Wsss(wsss.folder, (*wsss.sites, tmp_path / "bad"))
    result = broken("methods")
    assert result.code == 0 and "│ toy" in result.out
    assert "plugin 'gone' (not_there:METHOD) does not load" in result.err
    assert "plugin 'odd' (wsss_toy:DATASET) is no Method" in result.err
    assert "plugin 'toy' (wsss_toy:METHOD) has the name of wsss_toy:METHOD" in result.err
    assert broken("prepare", "--help").code == 0
    listed = broken("datasets")
    assert listed.code == 0 and "plugin 'lost'" in listed.err and "│ dots" in listed.out


@pytest.mark.parametrize("returned", [Path("seeds"), 7, {"maps": Path("cam")}])
def test_what_a_plugin_returns_by_mistake_is_told(
    wsss: Wsss, returned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "function", lambda stage: lambda job: returned)
    result = wsss("seeds", "toy")
    assert result.code == 2 and f"seeds: wsss_toy.stages:seeds returned {returned!r}" in result.err
    assert "a dict of numbers by name: mend the plugin" in result.err and "Traceback" not in result.text
    assert record(wsss, "seeds")["status"] == "failed"


def test_methods_describes_one_and_prints_a_recipe_that_is_accepted(wsss: Wsss) -> None:
    shown = wsss("methods", "toy")
    assert "Colours of dots" in shown.out and "recipes: dots, slow" in shown.out
    template = wsss("methods", "toy", "--template")
    assert template.code == 0 and "width: 4" in template.out and "# the network" in template.out
    (wsss.folder / "all.yaml").write_text(template.out)
    plan = wsss("train", "toy", "--recipe", "all.yaml", "--dry-run")
    assert plan.code == 0 and "train: would run (not made yet)" in plan.out


def test_ranks_show_the_scores_once(trained: Wsss) -> None:
    first, second = trained.ranks(2, "evaluate", "--json", "--workers", 0)
    assert first.code == 0 and second.code == 0, first.text + second.text
    scores = json.loads(first.out)
    assert scores["images"] == 5 and scores["ground_truth"] == "drawn" and second.text == ""
    alone = trained("evaluate")
    assert "evaluate: finished already" in alone.out and "toy/default on dots, split val (5 images)\n" in alone.out
    assert "│ mIoU" in alone.out and alone.out.endswith("next: wsss report\n")
    kept = yaml.safe_load((trained.folder / RUN / "run.yaml").read_text())
    assert (kept["recipe"], kept["set"]) == (None, {})


def test_another_split_has_a_folder_of_its_own(trained: Wsss) -> None:
    result = trained("evaluate", "--split", "train", "--workers", 0)
    assert result.code == 0 and said(result.out) == ["infer-train", "evaluate-train"]
    assert "infer-train: made labels in" in result.out  # without CRF no labels_crf
    again = trained("evaluate")  # of the usual split: --split is for one command
    assert said(again.out) == ["infer", "evaluate"] and "split=train" not in again.out
    assert "; 10 of 10 images were learnt from; mean" in result.out and "learnt from" not in again.out
    reports = [json.loads((trained.folder / RUN / key / "scores.json").read_text()) for key in said(result.out)[1:]]
    assert [report["learnt_from"] for report in reports] == [10]


def test_images_of_which_nothing_was_to_be_made_are_no_background(trained: Wsss) -> None:
    """Pseudo-labels are made of train: scored on val they were maps of background alone, without a word."""
    refused = trained("evaluate", "--stage", "pseudo", "--split", "val", "--workers", 0)
    assert refused.code == 2
    assert refused.err == (
        "error: stage pseudo leaves nothing of the 5 images of split 'val' that have masks\n"
        "  choose a --split whose images the method learns from\n"
    )
    data = read_prepared(trained.folder / "data" / "dots")
    write_prepared(data.folder, data.info, [replace(s, splits=(*s.splits, "both")) for s in data.samples])
    usual = trained("evaluate", "--stage", "pseudo", "--split", "train", "--workers", 0, "--json")
    scored = trained("evaluate", "--stage", "pseudo", "--split", "both", "--workers", 0)
    assert scored.code == 0, scored.text
    assert "split both (10 images)" in scored.out
    assert "warning: 5 image(s) of split both are not among those that pseudo were made of: not scored\n" in scored.err
    report = json.loads((trained.folder / RUN / "evaluate-pseudo" / "scores.json").read_text())
    assert report["not_made"] == 5 and report["scores"] == json.loads(usual.out)["scores"]
