"""--procs, --nodes, torchrun and SLURM: the launcher with real processes, and what it reads in the environment."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from processes import Wsss, alive, children, ended, until
from trained_run import rows
from wsss_cli.errors import WsssError
from wsss_cli.ranks.launch import Launch, _exit_code, _free_port, adopt_slurm, first_host, slurm_tasks

TRAIN = Path("runs/dots/toy/default/train")
WORDS = ("train", "toy", "labels=masks", "--workers", 0, "loop.epochs=4")


@pytest.fixture
def reference(wsss: Wsss) -> list[list[float]]:
    """The losses of one process, in a run named `one`."""
    result = wsss(*WORDS, "--name", "one")
    assert result.code == 0, result.text
    return losses(wsss.folder / "runs/dots/toy/one/train")


def losses(folder: Path) -> list[list[float]]:
    return [[row["colour"], row["size"]] for row in rows(folder)]


def ranks(wsss: Wsss) -> int:
    return json.loads((wsss.folder / TRAIN / "stage.json").read_text())["machine"]["ranks"]


def test_procs_stop_at_a_signal_and_go_on(wsss: Wsss, reference: list[list[float]]) -> None:
    """The launcher is told to stop; its ranks save; one process goes on where they were and ends as it would alone."""
    words = (*WORDS, "pause=0.15", "loop.save_minutes=100")
    launcher = wsss.start(*words, "--procs", 2)
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and len(journal.read_text().splitlines()) >= 2)
    launcher.send(signal.SIGINT)
    stopped = launcher.wait()
    assert stopped.code == 130, stopped.text
    assert re.fullmatch(
        r"warning: train: saved at iteration \d of 8; the same command goes on from there\n", stopped.err
    )
    assert ranks(wsss) == 2
    again = wsss(*words)
    assert again.code == 0 and "train: goes on from iteration" in again.out
    assert again.err == "warning: resumes with 1 ranks what 2 began: random draws will differ\n"
    torch.testing.assert_close(losses(wsss.folder / TRAIN), reference, rtol=0, atol=1e-5)
    finished = wsss(*words, "--procs", 2)  # nothing to run: no ranks are started for it
    assert finished.code == 0 and "finished already" in finished.out


def test_a_rank_that_is_killed_ends_all_with_its_name(wsss: Wsss) -> None:
    result = wsss(*WORDS, "--procs", 2, "net.centre=true", TOY_KILL="2", TOY_KILL_RANK="1")
    assert result.code == 137 and "error: rank 1 was ended by SIGKILL (most often for want of memory)" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("other", [-signal.SIGTERM, 128 + signal.SIGTERM])
@pytest.mark.parametrize(("code", "told"), [(-signal.SIGKILL, 137), (1, 1), (2, 2)])
def test_the_rank_that_failed_gives_the_code_not_one_that_was_ended_for_it(other: int, code: int, told: int) -> None:
    """Whether that one was stopped at once or had the time to save."""
    failures = {rank: SimpleNamespace(exitcode=exitcode) for rank, exitcode in enumerate((other, code))}
    assert _exit_code(failures) == told
    assert _exit_code({0: SimpleNamespace(exitcode=other)}) == 143


def test_two_machines_train_together(wsss: Wsss, reference: list[list[float]]) -> None:
    meet = f"127.0.0.1:{_free_port()}"
    words = (*WORDS, "--nodes", 2, "--rendezvous", meet)
    machines = [wsss.start(*words, "--node-rank", rank) for rank in range(2)]
    first, second = ended(machines)
    assert first.code == 0 and second.code == 0, first.text + second.text
    assert second.out == f"machine 1 of 2 waits for the others at {meet}\n"
    assert "made checkpoint.pt" in first.out and ranks(wsss) == 2
    torch.testing.assert_close(losses(wsss.folder / TRAIN), reference, rtol=0, atol=1e-5)


def test_a_machine_does_not_wait_long_for_one_whose_rank_died_at_its_very_end(
    wsss: Wsss, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is made by then; torch's agent would wait five minutes for the other one, and hear no Ctrl-C."""
    monkeypatch.setattr("wsss_cli.ranks.launch.LEAVE_SECONDS", 1)
    words = (*WORDS, "--nodes", 2, "--rendezvous", f"127.0.0.1:{_free_port()}")
    machines = [wsss.start(*words, "--node-rank", rank, TOY_DIES_LEAVING="1") for rank in range(2)]
    first, second = ended(machines)
    assert first.code == 0 and "made checkpoint.pt" in first.out, first.text + second.text
    assert second.code == 137 and "rank 1 was ended by SIGKILL" in second.err


def test_a_machine_says_that_another_one_has_failed(wsss: Wsss) -> None:
    where = {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    words = (*WORDS, "rank_fails=1")
    machines = [wsss.start(*words, RANK=str(r), WORLD_SIZE="2", GROUP_RANK=str(r), **where) for r in range(2)]
    first, second = ended(machines)
    assert second.code == 2 and second.err == "error: rank 1: this rank alone has a problem\n  do not ask for it\n"
    assert first.code == 2 and first.err == "error: rank 1, on another machine, has failed: its messages say why\n"


def test_a_machine_with_other_data_is_refused(wsss: Wsss, tmp_path: Path) -> None:
    """It trained on its own files, by the settings of the first."""
    other = replace(wsss, folder=tmp_path / "other")
    other.folder.mkdir()
    assert other("prepare", "dots", "--images", 12).code == 0
    words = (*WORDS, "--nodes", 2, "--rendezvous", f"127.0.0.1:{_free_port()}")
    machines = [place.start(*words, "--node-rank", rank) for rank, place in enumerate((wsss, other))]
    results = ended(machines)
    assert [result.code for result in results] == [2, 2]
    assert "rank 1 has another data set in data/dots on its machine than rank 0\n  copy" in "".join(
        r.err for r in results
    )
    assert not (wsss.folder / TRAIN).exists()


def test_other_settings_of_a_machine_are_said_not_to_count(wsss: Wsss) -> None:
    words = ("--nodes", 2, "--rendezvous", f"127.0.0.1:{_free_port()}")
    machines = [
        wsss.start(*WORDS[:-1], f"loop.epochs={epochs}", *words, "--node-rank", rank)
        for rank, epochs in enumerate((1, 3))
    ]
    first, second = ended(machines)
    assert (first.code, second.code, second.err) == (0, 0, "")
    assert (
        first.err
        == "warning: rank 1 was given other settings (loop.epochs=3) than rank 0 (loop.epochs=1), whose count\n"
    )
    assert len(losses(wsss.folder / TRAIN)) == 2


def test_inside_torchrun(wsss: Wsss, reference: list[list[float]]) -> None:
    """--procs there is not obeyed twice."""
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "wsss_cli",
    ]
    command = [*torchrun, *map(str, WORDS), "--procs", "2"]
    done = subprocess.run(command, cwd=wsss.folder, env=wsss.paths(), capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("made checkpoint.pt") == 1 and ranks(wsss) == 2
    torch.testing.assert_close(losses(wsss.folder / TRAIN), reference, rtol=0, atol=1e-5)


def test_inside_srun(wsss: Wsss, reference: list[list[float]]) -> None:
    base = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "localhost", "MASTER_PORT": str(_free_port())}
    tasks = [wsss.start(*WORDS, SLURM_PROCID=str(r), SLURM_LOCALID=str(r), **base) for r in range(2)]
    results = ended(tasks)
    assert [r.code for r in results] == [0, 0], results[0].text + results[1].text
    assert ranks(wsss) == 2
    torch.testing.assert_close(losses(wsss.folder / TRAIN), reference, rtol=0, atol=1e-5)


def test_a_machine_that_is_not_there(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsss_cli.ranks.launch.MEET_SECONDS", 1)
    meet = f"127.0.0.1:{_free_port()}"
    result = wsss(*WORDS, "--nodes", 2, "--node-rank", 1, "--rendezvous", meet)
    assert result.code == 2 and f"the 2 machines did not meet at {meet}" in result.err and "Traceback" not in result.err


def test_ctrl_c_ends_machine_0_while_it_waits_for_another(wsss: Wsss) -> None:
    port = _free_port()
    machine = wsss.start(*WORDS, "--nodes", 2, "--rendezvous", f"127.0.0.1:{port}")
    until(lambda: _is_taken(port))
    machine.send(signal.SIGINT)
    assert machine.wait(10).code == -signal.SIGINT  # which a shell calls 130


def _is_taken(port: int) -> bool:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def test_ctrl_c_ends_machine_1_while_it_waits_for_an_answer(wsss: Wsss) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        meet = f"127.0.0.1:{server.getsockname()[1]}"
        machine = wsss.start(*WORDS, "--nodes", 2, "--node-rank", 1, "--rendezvous", meet)
        with server.accept()[0]:
            machine.send(signal.SIGINT)
            assert machine.wait(10).code == -signal.SIGINT


def test_mistakes_are_found_before_ranks_start(wsss: Wsss) -> None:
    result = wsss("train", "toy", "lrr=1", "--procs", 2)
    assert result.code == 2 and result.err.count("unknown key 'train.lrr'") == 1


@pytest.mark.parametrize(
    ("nodes", "host"),
    [
        ("gpu[03-05,9],login", "gpu03"),
        ("node-1-[07-09]", "node-1-07"),
        ("login", "login"),
        ("a,b[1-2]", "a"),
        ("r[2-3]n[10,12]-ib,z", "r2n10-ib"),
        ("cn.example.org[1]", "cn.example.org1"),
    ],
)
def test_first_host(nodes: str, host: str) -> None:
    assert first_host(nodes) == host


def test_no_host_is_said() -> None:
    with pytest.raises(WsssError, match="names no host"):
        first_host("")


STEP = {
    "SLURM_PROCID": "5",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "gpu[03-04]",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    "SLURM_JOB_ID": "40123",
}


def test_slurm_is_adopted() -> None:
    assert adopt_slurm(STEP) == {
        "RANK": "5",
        "WORLD_SIZE": "8",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "4",
        "MASTER_ADDR": "gpu03",
        "MASTER_PORT": "20123",
    }
    assert adopt_slurm(STEP | {"MASTER_ADDR": "x", "MASTER_PORT": "1"})["MASTER_ADDR"] == "x"


@pytest.mark.parametrize(
    "env",
    [
        {},
        STEP | {"RANK": "0", "WORLD_SIZE": "2"},  # torchrun below srun
        STEP | {"SLURM_STEP_NUM_TASKS": "1"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_LOCALID": "0"},  # an sbatch script's own shell
    ],
)
def test_slurm_is_left_alone(env: dict[str, str]) -> None:
    assert adopt_slurm(env) == {}


def test_when_new_processes_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", *STEP):
        monkeypatch.delenv(name, raising=False)
    assert not Launch().wanted and not Launch(procs=1).wanted
    assert Launch(procs=2).wanted and Launch(gpus=2).wanted and Launch(nodes=2).wanted
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    assert slurm_tasks() == 8 and not Launch(gpus=4).wanted
    assert Launch(gpus=4, nodes=2).wanted  # one task per machine, which starts its ranks
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert not Launch(gpus=4, nodes=2).wanted


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc who is whose child")
def test_ranks_save_and_end_when_their_launcher_is_killed(wsss: Wsss) -> None:
    words = (*WORDS, "pause=0.15", "loop.save_minutes=100", "loop.epochs=40")
    launcher = wsss.start(*words, "--procs", 2)
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and len(journal.read_text().splitlines()) >= 2)
    started = children(launcher.pid)
    launcher.send(signal.SIGKILL)
    launcher.wait()
    assert len(started) == 2
    until(lambda: not any(map(alive, started)), 10)
    assert json.loads((wsss.folder / TRAIN / "stage.json").read_text())["status"] == "interrupted"
    again = wsss(*words[:-1], "loop.epochs=40", "pause=0")
    assert "train: goes on from iteration" in again.out or "changed: pause" in again.out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc who is whose child")
def test_a_dead_reader_process_is_told_in_seconds(wsss: Wsss) -> None:
    command = wsss.start("train", "toy", "labels=masks", "--workers", 2, "pause=0.15", "loop.epochs=100")
    journal = wsss.folder / TRAIN / "metrics.jsonl"
    until(lambda: journal.exists() and len(journal.read_text().splitlines()) >= 2)
    os.kill(children(command.pid)[0], signal.SIGKILL)
    result = command.wait(5)
    assert result.code == 2 and "Traceback" not in result.text
    assert "error: a reader process of the training killed by signal: Killed" in result.err or (
        "error: a reader process of the training ended" in result.err
    )
