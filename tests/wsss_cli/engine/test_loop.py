"""The training loop through `wsss train toy`: ranks, accumulation, resumption, signals, what it refuses."""

import json
import random
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from processes import Result, Wsss, ended, until
from trained_run import load, rows
from wsss_cli.runs import read_record, write_record
from wsss_cli.testing import differences

TRAIN = Path("runs/dots/toy/default/train")
FAST = ("labels=masks", "--workers", 0)
EVERYTHING = ("loop.ema=0.9", "loop.accumulate=2", "net.dropout=0.3", "net.centre=true", "loop.clip=0.5")


def losses(folder: Path) -> list[list[float]]:
    return [[row["colour"], row["size"]] for row in rows(folder)]


def passed(result: Result) -> None:
    assert result.code == 0, result.text


def assert_same_training(a: Path, b: Path, tolerance: float) -> None:
    torch.testing.assert_close(losses(a), losses(b), rtol=0, atol=tolerance)
    torch.testing.assert_close(load(a)["model"], load(b)["model"], rtol=0, atol=tolerance)


def train_in(wsss: Wsss, name: str, *words: object) -> Path:
    passed(wsss("train", "toy", "--name", name, *FAST, "loop.epochs=4", *words))
    return wsss.folder / "runs/dots/toy" / name / "train"


def test_two_ranks_are_one_process_with_the_whole_batch(wsss: Wsss) -> None:
    """Started as torchrun and srun start them: the environment says which rank each process is."""
    one = train_in(wsss, "one", "net.centre=true", "loop.ema=0.9")
    words = ("--name", "two", *FAST, "loop.epochs=4", "net.centre=true", "loop.ema=0.9")
    first, second = wsss.ranks(2, "train", "toy", *words)
    passed(first)
    passed(second)
    two = wsss.folder / "runs/dots/toy/two/train"
    assert_same_training(one, two, 1e-5)
    assert second.text == "" and first.out.count("made checkpoint.pt") == 1
    assert json.loads((two / "stage.json").read_text())["machine"]["ranks"] == 2
    assert len(load(two)["rng"]) == 2


def test_accumulated_passes_are_one_large_batch(wsss: Wsss) -> None:
    """10 images, batches of 4: two whole batches an epoch, however they are cut."""
    assert_same_training(train_in(wsss, "whole"), train_in(wsss, "cut", "loop.accumulate=4"), 1e-5)


def test_ranks_and_accumulation_together(wsss: Wsss) -> None:
    one = train_in(wsss, "one")
    for result in wsss.ranks(2, "train", "toy", "--name", "cut", *FAST, "loop.epochs=4", "loop.accumulate=2"):
        passed(result)
    assert_same_training(one, wsss.folder / "runs/dots/toy/cut/train", 1e-5)


def test_reader_processes_change_nothing(wsss: Wsss) -> None:
    none = train_in(wsss, "none", "net.dropout=0.3")
    passed(wsss("train", "toy", "--name", "two", "labels=masks", "loop.epochs=4", "net.dropout=0.3", "--workers", 2))
    assert differences(load(none), load(wsss.folder / "runs/dots/toy/two/train")) == []


@pytest.mark.parametrize("save", ["0", "0.002"])
def test_killed_at_any_iteration_and_resumed_it_is_the_uninterrupted_run(wsss: Wsss, save: str) -> None:
    words = ("train", "toy", *FAST, *EVERYTHING, "pause=0.01", "loop.epochs=10", f"loop.save_minutes={save}")
    passed(wsss(*words, "--name", "whole"))
    whole = wsss.folder / "runs/dots/toy/whole/train"
    killed_at = random.Random().randrange(1, 19)
    process = wsss.start(*words)
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and len(journal.read_text().splitlines()) >= killed_at)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    assert json.loads((wsss.folder / TRAIN / "stage.json").read_text())["status"] == "running"
    again = wsss(*words)
    passed(again)
    assert "train: goes on: it was killed" in again.out
    assert differences(load(whole), load(wsss.folder / TRAIN)) == [], f"killed at {killed_at}"
    assert [row["iteration"] for row in rows(wsss.folder / TRAIN)] == list(range(1, 21))
    assert losses(whole) == losses(wsss.folder / TRAIN)


def test_two_ranks_killed_and_resumed(wsss: Wsss) -> None:
    """Every rank's own random draws go on where they were."""
    words = ("train", "toy", *FAST, *EVERYTHING, "loop.epochs=4", "loop.save_minutes=0")
    for name, env in (("whole", {}), ("cut", {"TOY_KILL": "5"})):
        wsss.ranks(2, *words, "--name", name, **env)
    cut = wsss.folder / "runs/dots/toy/cut/train"
    assert load(cut)["iteration"] == 5
    for result in wsss.ranks(2, *words, "--name", "cut"):
        passed(result)
    assert differences(load(wsss.folder / "runs/dots/toy/whole/train"), load(cut)) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", [0, 1])
def test_a_signal_saves_and_leaves(wsss: Wsss, signum: int, code: int, workers: int) -> None:
    words = ("train", "toy", "labels=masks", "--workers", workers, "pause=0.05", "loop.epochs=50")
    process = wsss.start(*words)
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and journal.read_text())
    process.send_group(signum)
    result = process.wait()
    assert result.code == code, result.text
    saved = re.search(r"train: saved at iteration (\d+) of 100; the same command goes on from there", result.err)
    assert saved and load(wsss.folder / TRAIN)["iteration"] == int(saved[1]) == len(rows(wsss.folder / TRAIN))
    assert json.loads((wsss.folder / TRAIN / "stage.json").read_text())["status"] == "interrupted"
    assert "would run (goes on: it was interrupted)" in wsss("train", "--dry-run").out


def test_a_signal_to_one_rank_stops_all(wsss: Wsss) -> None:
    words = ("train", "toy", *FAST, "pause=0.05", "loop.epochs=50")
    base = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(24000 + random.randrange(9000))}
    ranks = [wsss.start(*words, RANK=str(r), LOCAL_RANK=str(r), **base) for r in range(2)]
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and journal.read_text())
    ranks[1].send(signal.SIGTERM)
    results = ended(ranks)
    assert [r.code for r in results] == [143, 143]
    assert "saved at iteration" in results[0].err and results[1].text == ""


def test_an_error_of_one_rank_is_said_once_and_ends_all(wsss: Wsss) -> None:
    results = wsss.ranks(2, "train", "toy", *FAST, "rank_fails=1")
    assert results[1].code == 2 and "error: rank 1: this rank alone has a problem" in results[1].err
    assert results[0].code != 0 and results[0].err == ""


def test_an_error_of_the_plan_is_said_once_and_ends_all(wsss: Wsss) -> None:
    results = wsss.ranks(2, "train", "toy", "lrr=1")
    assert [r.code for r in results] == [2, 2]
    assert "did you mean 'lr'?" in results[0].err and results[1].text == ""


def test_a_mistake_in_the_code_of_one_rank_shows_its_traceback(wsss: Wsss) -> None:
    results = wsss.ranks(2, "seeds", "toy", TOY_CRASH="2")
    text = results[0].err + results[1].err
    assert [r.code for r in results] == [1, 1] and text.count("Traceback") == 1 and "crashed for the test" in text


def test_a_loss_that_is_not_finite_stops_the_training(wsss: Wsss) -> None:
    result = wsss("train", "toy", *FAST, "poison=2")
    assert result.code == 2 and "the loss is not finite at iteration 3: colour = nan, size = 0.0" in result.err
    assert "lower the learning rate" in result.err and not (wsss.folder / TRAIN / "checkpoint.pt").exists()
    assert json.loads((wsss.folder / TRAIN / "stage.json").read_text())["status"] == "failed"


def test_mixed_precision(wsss: Wsss) -> None:
    full, mixed, half = (losses(train_in(wsss, amp, f"loop.amp={amp}")) for amp in ("off", "bf16", "fp16"))
    assert full != mixed
    torch.testing.assert_close(full, mixed, rtol=0.02, atol=0.02)
    torch.testing.assert_close(full[0], half[0], rtol=0.02, atol=0.02)
    assert half[-1][0] < 0.9 * half[0][0]  # its scaler skips the first steps, so later losses lag behind


def test_an_average_of_the_weights_is_what_is_kept(wsss: Wsss) -> None:
    plain, averaged = train_in(wsss, "plain"), train_in(wsss, "averaged", "loop.ema=0.5")
    kept = load(averaged)
    torch.testing.assert_close(kept["raw_model"], load(plain)["model"], rtol=0, atol=0)
    assert differences(kept["model"], kept["raw_model"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["loop.accumulate=3"], "loop.batch 4 cannot be split over 1 ranks x accumulate 3\n  make it a multiple of 3"),
        (["loop.batch=11"], "the batch of 11 is larger than the 10 training images\n  set a smaller train.loop.batch"),
        (["loop.amp=int8"], "'train.loop.amp' = 'int8': input should be 'off', 'bf16' or 'fp16'"),
    ],
)
def test_settings_that_cannot_be(wsss: Wsss, words: list[str], message: str) -> None:
    result = wsss("train", "toy", *FAST, *words)
    assert result.code == 2 and message in result.err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: torch.save({"meta": {"method": "irn"}}, path), "is the checkpoint of another training"),
        (lambda path: torch.save([1, 2], path), "is the checkpoint of another training"),
        (lambda path: torch.save({"x": Path("code")}, path), "is a pickle that runs code"),
    ],
)
def test_a_checkpoint_that_cannot_be_resumed(wsss: Wsss, damage: Any, message: str) -> None:
    wsss("train", "toy", *FAST, "loop.save_minutes=0", TOY_KILL="2")
    damage(wsss.folder / TRAIN / "checkpoint.pt")
    result = wsss("train", "toy", *FAST, "loop.save_minutes=0")
    assert result.code == 2 and message in result.err and str(TRAIN) in result.err


@pytest.mark.parametrize(
    "damage", [lambda data: data[:500], lambda data: b"", lambda data: data[:900] + b"?" + data[901:]]
)
def test_a_training_whose_checkpoint_is_damaged_starts_again(wsss: Wsss, damage: Any) -> None:
    wsss("train", "toy", *FAST, "loop.save_minutes=0", TOY_KILL="2")
    path = wsss.folder / TRAIN / "checkpoint.pt"
    path.write_bytes(damage(path.read_bytes()))
    bad = path.read_bytes()
    again = wsss("train", "toy", *FAST, "loop.save_minutes=0")
    passed(again)
    assert "checkpoint.pt is damaged: it is made again" in again.err
    assert (path.parent / "damaged" / "checkpoint.pt").read_bytes() == bad
    assert torch.load(path)["done"] and "train: finished ->" in wsss("train", "toy", "--dry-run").out


def test_ranks_that_see_different_folders_are_told_so(wsss: Wsss, tmp_path: Path) -> None:
    """Two machines without a shared folder: one has the checkpoint, the other has not."""
    passed(wsss("train", "toy", *FAST, "loop.epochs=2"))
    other = Wsss(tmp_path / "other", wsss.sites)
    shutil.copytree(wsss.folder / "data", other.folder / "data")
    write_record(
        wsss.folder / TRAIN, (read_record(wsss.folder / TRAIN) or {}) | {"status": "interrupted", "made": None}
    )
    base = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(24000 + random.randrange(9000))}
    ranks = [w.start("train", "toy", *FAST, RANK=str(r), **base) for r, w in enumerate((wsss, other))]
    results = ended(ranks)
    assert {r.code for r in results} == {2}
    assert (results[0].err + results[1].err).count("all machines must share the folder of runs") == 1
