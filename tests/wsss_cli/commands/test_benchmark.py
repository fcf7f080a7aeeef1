"""`wsss benchmark`: the runs that it makes, what it makes of failures and of what is there, and the table."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from drawn_folder import drawn_folder
from processes import Wsss
from wsss_cli.commands import run_benchmark
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.run_benchmark import Asked, Entry
from wsss_cli.commands.variant import Variant
from wsss_cli.data.prepared import read_prepared
from wsss_cli.plan import laid_out
from wsss_cli.ranks.device_name import device_name
from wsss_cli.report.results import read_results, write_results
from wsss_cli.runs import write_record

FEW = ("benchmark", "dots", "--methods", "plain_cam,toy", "--seeds", 2, "--workers", 0)
CPU = device_name(torch.device("cpu"))
COMMAND = re.compile(r"^\$ wsss evaluate (\w+) .*--name (\S+)(?: --stage (\w+))?", re.MULTILINE)


@pytest.fixture
def quick(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> Wsss:
    """The command, whose own commands are forks."""

    def fork(words: Sequence[str]) -> int:
        result = wsss(*words)
        print(result.text)
        return result.code

    monkeypatch.setattr(
        run_benchmark, "run_benchmark", partial(run_benchmark.run_benchmark, begin=lambda job, jobs: fork)
    )
    return wsss


def table(folder: Path) -> dict[str, dict[str, str]]:
    """By method, its cells by column."""
    head, *rows = tables(folder)[0]
    return {row[0]: dict(zip(head, row)) for row in rows}


def tables(folder: Path) -> list[list[list[str]]]:
    """The cells of each row of each table."""
    parts = (folder / "runs/dots/benchmark.md").read_text().split("\n\n")
    lines = [[line for line in part.splitlines() if line.startswith("| ")] for part in parts if part.startswith("| ")]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in part] for part in lines]


def mious(folder: Path, key: str, *names: str) -> list[float]:
    paths = [folder / "runs/dots/plain_cam" / name / key / "scores.json" for name in names]
    return [100 * json.loads(path.read_text())["scores"][0]["miou"] for path in paths]


def spread(values: list[float]) -> str:
    a, b = values
    return f"{(a + b) / 2:.1f} ± {abs(a - b) / 2**0.5:.1f}"


def test_two_methods_with_two_seeds(quick: Wsss) -> None:
    """The CAMs of `toy` are none that can be scored: its runs fail, its upper bounds do not."""
    first = quick(*FEW, seconds=300)
    assert first.code == 2 and "2 of 8 runs failed: toy/seed0, toy/seed1" in first.err
    whole = [("plain_cam", "seed0", "seeds"), ("plain_cam", "seed0", "pseudo"), ("plain_cam", "seed0", "")]
    bounds = [("plain_cam", "seed0-masks", ""), ("toy", "seed0", "seeds"), ("toy", "seed0-masks", "")]
    assert COMMAND.findall(first.out)[:6] == whole + bounds

    folder, rows = quick.folder, table(quick.folder)
    weak, full = mious(folder, "evaluate", "seed0", "seed1"), mious(folder, "evaluate", "seed0-masks", "seed1-masks")
    assert rows["plain_cam"]["seeds"] == spread(mious(folder, "evaluate-seeds", "seed0", "seed1"))
    assert rows["plain_cam"]["pseudo-labels"] == spread(mious(folder, "evaluate-pseudo", "seed0", "seed1"))
    assert rows["plain_cam"]["prediction"] == spread(weak) and rows["plain_cam"]["on the masks"] == spread(full)
    assert rows["plain_cam"]["weak / full"] == f"{sum(weak) / sum(full):.2f}"
    assert float(rows["plain_cam"]["memory"].split()[0]) > 0 and rows["plain_cam"]["device"] == CPU
    assert rows["toy"]["prediction"] == rows["toy"]["minutes"] == "–" and "±" in rows["toy"]["on the masks"]
    head, *each = tables(folder)[1]
    assert head == ["method", "label map", "seed 0", "seed 1"]
    assert ["plain_cam", "prediction", *(f"{one:.1f}" for one in weak)] in each
    assert [row[:2] for row in each] == [
        *(["plain_cam", what] for what in ("seeds", "pseudo-labels", "prediction", "on the masks")),
        ["toy", "on the masks"],
    ]
    assert "<h2>Each seed</h2>" in text_of_page(folder)
    configs = [
        json.loads((folder / f"runs/dots/toy/{n}/train/stage.json").read_text()) for n in ("seed0-masks", "seed1-masks")
    ]
    assert [(c["config"]["labels"], c["config"]["seed"]) for c in configs] == [("masks", 0), ("masks", 1)]
    text = (folder / "runs/dots/benchmark.md").read_text()
    assert "made by wsss benchmark dots --methods plain_cam,toy --seeds 2" in text
    assert "upper bound of plain_cam, toy: split val, 5 images" in text and f"<td>{CPU}</td>" in text_of_page(folder)

    again = quick(*FEW, seconds=300)
    assert COMMAND.findall(again.out) == [("toy", "seed0", "seeds"), ("toy", "seed1", "seeds")]
    assert table(folder) == rows


def text_of_page(folder: Path) -> str:
    return (folder / "runs/dots/benchmark.html").read_text(encoding="utf-8")


def test_mistakes_are_found_before_anything_runs(wsss: Wsss) -> None:
    for words, message in {
        ("--methods", "plain_cam,tyo"): "tyo",
        ("--set", "train.lop.epochs=1", "--methods", "plain_cam"): "train.lop",
        ("--set", "lr=1", "--methods", "toy"): "unknown stage 'lr'",
        ("--methods", "toy", "--variant", "short toy"): "--variant 'short toy': a name of letters",
        ("--methods", "toy", "--variant", "short toy 'a=1"): "for example --variant 'longer METHOD",
        ("--methods", "toy", "--variant", "masks toy train.labels=masks"): "(not 'masks')",
        ("--methods", "toy", "--variant", "short tyo a=1"): "tyo",
        ("--methods", "toy", "--variant", "short toy train.lop.epochs=1"): "train.lop",
        ("--variant", "a toy x=1", "--variant", "A toy x=2"): "'toy (a)' is given twice",
        ("--set", "train.seed=5"): "--set train.seed=5: a benchmark gives its runs the seeds 0, 1, ...",
        ("--set", "pseudo={seed: 0}", "--methods", "toy"): "--set pseudo.seed=0: a benchmark gives",
        ("--variant", "other toy train.seed=5"): "--variant train.seed=5: a benchmark gives",
    }.items():
        result = wsss("benchmark", "dots", *words)
        assert result.code == 2 and message in result.err and not (wsss.folder / "runs").exists()


def test_variants_have_rows_of_their_own(quick: Wsss) -> None:
    words = ("benchmark", "dots", "--methods", "plain_cam", "--seeds", 1, "--no-full", "--workers", 0)
    variants = [("long", "plain_cam train.loop.epochs=2"), ("small", "plain_cam infer.scales=[0.5]")]
    variants.append(("seen", "toy train.labels=masks"))
    words += tuple(word for name, of in variants for word in ("--variant", f"{name} {of}"))
    dry = quick(*words, "--dry-run").out.splitlines()
    runs, takes = "would run evaluate-seeds, evaluate-pseudo", "would take seeds, pseudo"
    assert dry[1] == f"plain_cam/seed0-long: {runs}, train, infer, evaluate; {takes} of plain_cam/seed0"
    assert dry[2] == f"plain_cam/seed0-small: {runs}, infer, evaluate; {takes}, train of plain_cam/seed0"
    result = quick(*words, seconds=300)
    assert result.code == 2 and "1 of 4 runs failed: toy/seed0-seen" in result.err  # its CAMs cannot be scored

    rows, text = table(quick.folder), (quick.folder / "runs/dots/benchmark.md").read_text()
    assert list(rows) == ["plain_cam", "plain_cam (long)", "plain_cam (small)", "toy (seen)"]
    assert "* plain_cam (long): train.loop.epochs=2." in text
    seeds, predictions = ([rows[title][column] for title in list(rows)[:3]] for column in ("seeds", "prediction"))
    assert len(set(seeds)) == 1 and len(set(predictions)) == 3
    taken = re.findall("^[*] (.*) are those of plain_cam, whose settings are the same", text, re.MULTILINE)
    assert taken == ["seeds, pseudo of plain_cam (long)", "seeds, pseudo, train of plain_cam (small)"]
    assert text.count("* software: ") == 1 and len(tables(quick.folder)) == 1  # one seed each


def test_of_all_methods_those_that_can_are_taken(wsss: Wsss) -> None:
    """Only one of them knows the setting."""
    dry = wsss("benchmark", "dots", "--seeds", 1, "--no-full", "--set", "seeds.gain=0.5", "--dry-run")
    assert dry.code == 0 and "plain_cam is left out: unknown key 'seeds.gain'" in dry.err
    assert dry.out.splitlines() == [
        "toy/seed0: would run seeds, evaluate-seeds, pseudo, evaluate-pseudo, train, infer, evaluate"
    ]
    assert not (wsss.folder / "runs").exists()


def test_an_interruption_ends_it(quick: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = partial(run_benchmark.run_benchmark.func, begin=lambda job, jobs: lambda words: 130)  # type: ignore[attr-defined]
    monkeypatch.setattr(run_benchmark, "run_benchmark", interrupted)
    result = quick(*FEW)
    assert result.code == 130 and len(COMMAND.findall(result.out)) == 1


def test_a_row_holds_nothing_but_what_is_asked_for(quick: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what a run that failed or waits has of other settings, nor another split that was predicted with it."""
    words = ("benchmark", "dots", "--methods", "plain_cam", "--workers", 0, "--seeds", 1, "--no-full")
    assert quick(*words, seconds=300).code == 0
    before = table(quick.folder)["plain_cam"]
    split = ("plain_cam", "--name", "seed0", "--split", "train", "--workers", 0)
    assert quick("evaluate", *split, seconds=300).code == 0 and quick(*words).code == 0
    (run,) = json.loads((quick.folder / "runs/dots/benchmark.json").read_text())["runs"]
    assert {"infer", "evaluate"} <= run["records"].keys() and not {"infer-train", "evaluate-train"} & run[
        "records"
    ].keys()

    failing = partial(run_benchmark.run_benchmark.func, begin=lambda job, jobs: lambda words: 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(run_benchmark, "run_benchmark", failing)
    assert quick(*words, "--set", "train.loop.epochs=3").code == 2
    after = table(quick.folder)["plain_cam"]
    assert before["prediction"] != "–" == after.get("prediction", "–") and after["seeds"] == before["seeds"]


def test_two_seeds_at_a_time(wsss: Wsss) -> None:
    """By commands of their own, as a user has it; of what fails the table says nothing."""
    words = ("benchmark", "dots", "--methods", "toy", "--seeds", 2, "--jobs", 2, "--no-full", "--workers", 0)
    result = wsss(*words, seconds=300)
    assert result.code == 2 and "2 of 2 runs failed: toy/seed0, toy/seed1" in result.err
    assert {line[:7] for line in result.out.splitlines() if "/toy/seed" in line} >= {"job 0: ", "job 1: "}


def test_machines_share_the_work(quick: Wsss) -> None:
    """The second one has the first one's .json: it makes the rest, and its table is that of one machine."""
    words = ("benchmark", "dots", "--methods", "plain_cam", "--workers", 0)
    assert quick(*words, "--seeds", 1, "--no-full", seconds=300).code == 0
    folder, given = quick.folder, ("--with", "first.json")
    first = table(folder)["plain_cam"]
    assert re.fullmatch(r"\d+\.\d \[\d+\.\d, \d+\.\d\]", first["prediction"])
    of_first = mious(folder, "evaluate", "seed0")
    shutil.copy(folder / "runs/dots/benchmark.json", folder / "first.json")
    shutil.rmtree(folder / "runs")

    dry = quick(*words, "--seeds", 1, *given, "--dry-run")
    assert (
        dry.out.splitlines()[0] == "plain_cam/seed0: finished elsewhere" and "plain_cam/seed0-masks: would" in dry.out
    )
    second = quick(*words, "--seeds", 2, *given, seconds=300)
    assert {name for _, name, _ in COMMAND.findall(second.out)} == {"seed0-masks", "seed1", "seed1-masks"}
    both = table(folder)["plain_cam"]
    assert both["prediction"] == spread(of_first + mious(folder, "evaluate", "seed1"))
    shutil.copy(folder / "runs/dots/benchmark.json", folder / "both.json")
    shutil.rmtree(folder / "runs/dots/plain_cam")
    assert quick(*words, "--seeds", 2, "--with", "both.json").code == 0 and table(folder)["plain_cam"] == both


def test_an_unfinished_run_from_elsewhere_stands_until_it_is_made(quick: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a machine leaves it that was interrupted: its scores stay in the table while the run is made again here."""
    words = ("benchmark", "dots", "--methods", "plain_cam", "--workers", 0, "--seeds", 1, "--no-full")
    assert quick(*words, seconds=300).code == 0
    there = read_results(quick.folder / "runs/dots/benchmark.json")
    of_first = table(quick.folder)["plain_cam"]
    (result,) = there.values()
    records = {key: record for key, record in result.records.items() if key != "evaluate-seeds"}
    cut = replace(result, scored={"infer": result.scored["infer"]}, records=records)
    data = read_prepared(quick.folder / "data/dots")
    write_results(quick.folder / "first.json", data, dict.fromkeys(there, cut))
    shutil.rmtree(quick.folder / "runs")

    running = run_benchmark.run_benchmark
    failing = partial(running.func, begin=lambda job, jobs: lambda words: 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(run_benchmark, "run_benchmark", failing)
    failed = quick(*words, "--with", "first.json")
    assert failed.code == 2 and "plain_cam/seed0 of --with is not finished and runs here" in failed.err
    assert table(quick.folder)["plain_cam"]["prediction"] == of_first["prediction"]
    monkeypatch.setattr(run_benchmark, "run_benchmark", running)
    shutil.copy(quick.folder / "runs/dots/benchmark.json", quick.folder / "second.json")
    assert quick(*words, "--with", "second.json", seconds=300).code == 0
    after = table(quick.folder)["plain_cam"]
    assert {after[key] for key in ("seeds", "prediction")} == {of_first[key] for key in ("seeds", "prediction")}


def test_what_was_made_with_other_settings_runs_again(quick: Wsss) -> None:
    words = ("benchmark", "dots", "--methods", "plain_cam", "--workers", 0, "--seeds", 1, "--no-full")
    assert quick(*words, seconds=300).code == 0
    shutil.copy(quick.folder / "runs/dots/benchmark.json", quick.folder / "first.json")
    shutil.rmtree(quick.folder / "runs")
    convention = ("--set", "evaluate.mean_over=ground_truth")
    other = quick(*words, "--with", "first.json", "--set", "train.loop.epochs=3", *convention, "--dry-run")
    told = (
        "plain_cam/seed0 of --with is not what is asked for and runs here: evaluate.mean_over: union -> ground_truth; "
    )
    assert f"{told}train.loop.epochs: " in other.err and other.err.count("mean_over") == 1
    assert "would run seeds" in other.out and "finished" not in other.out


@pytest.mark.parametrize(
    "content", ["", "[]", '{"runs": [1]}', '{"runs": [{"method": "a", "name": "b"}]}', '{"runs": [], "sum": "0"}']
)
def test_a_file_that_is_no_table(wsss: Wsss, content: str) -> None:
    (wsss.folder / "other.json").write_text(content)
    result = wsss("benchmark", "dots", "--with", "other.json")
    assert result.code == 2 and "other.json is not a table that `wsss benchmark` has written" in result.err
    assert wsss("benchmark", "dots", "--with", "none.json").code == 2


@pytest.fixture
def on_own_images(tmp_path: Path) -> Asked:
    data = drawn_folder(tmp_path / "data")
    options = RunOptions(runs_root=tmp_path / "runs", device="cpu", pretrained=["none"])
    own = replace(data, info=replace(data.info, kind="folder"))
    return Asked(own, ("irn",), 2, True, 1, options, tmp_path / "benchmark.md")


def of_both_seeds(asked: Asked) -> list[Entry]:
    rows = (Variant("irn"), Variant("irn", "other", ("train.loop.epochs=3",)))
    return [entry for seed in (0, 1) for row in rows for entry in run_benchmark._entries(row, seed, asked)]


def test_seeds_on_own_images_have_what_was_chosen_for_the_first(on_own_images: Asked) -> None:
    """Also where it has begun, or more is in reach by now: seeds of different settings would be one row."""
    first = of_both_seeds(on_own_images)[0]
    assert first.settings.chosen
    first.run.save_settings(first.settings)
    write_record(first.run.stage("seeds"), {"status": "interrupted", "config": {}, "data_hash": "", "inputs": {}})
    (first.run.stage("seeds") / "a.npz").write_bytes(b"1")
    later = replace(on_own_images, options=replace(on_own_images.options, pretrained=None))
    assert all(entry.settings.chosen == first.settings.chosen for entry in of_both_seeds(later))
    by_recipe = replace(later, options=replace(later.options, recipe="mobile"))
    assert not any(entry.settings.chosen for entry in of_both_seeds(by_recipe))


def test_networks_begin_from_what_pretrained_says(on_own_images: Asked) -> None:
    """By a recipe, too; what is set for one of them comes first."""
    data = replace(on_own_images.data, info=replace(on_own_images.data.info, kind="voc"))
    keys = ["train.net.pretrained=timm"]
    asked = replace(on_own_images, data=data, options=replace(on_own_images.options, set=keys))
    for entry in of_both_seeds(asked):
        steps = laid_out(entry.run, entry.method, "evaluate", data, entry.settings)
        begun = {step.key: step.config.net.pretrained for step in steps if step.key in ("seeds", "train")}
        assert begun == {"train": "timm"} | ({} if entry.full else {"seeds": "none"})


def test_a_variant_lies_over_what_is_set_for_all(on_own_images: Asked) -> None:
    keys = ["train.net.head_args={dropout: 0.5}", "train.loop.iterations=9"]
    asked = replace(on_own_images, options=replace(on_own_images.options, set=keys))
    variant = Variant("irn", "other", ("train.net.head_args={}", "train.loop.epochs=2"))
    (entry,) = run_benchmark._entries(variant, 0, asked)
    train = entry.settings.of("train")
    assert train["net"]["head_args"] == {} and train["loop"] == {"epochs": 2, "iterations": None}
