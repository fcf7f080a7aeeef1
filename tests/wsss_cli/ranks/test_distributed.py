"""Devices, workers, and the collectives where there is one rank."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wsss_cli.errors import WsssError
from wsss_cli.ranks.cores import cores
from wsss_cli.ranks.distributed import (
    Runtime,
    agreed,
    any_ranks,
    broadcast,
    choose_device,
    default_workers,
    gather,
    mean_over_ranks,
    process_group,
    shard,
    sum_over_ranks,
)
from wsss_cli.ranks.launch import _free_port

CPU = torch.device("cpu")

LEAVING = """
import sys
from pathlib import Path
import torch
from torch.nn.parallel import DistributedDataParallel
from wsss_cli.ranks.distributed import process_group

def work():
    net = DistributedDataParallel(torch.nn.Linear(2, 2))
    net(torch.ones(1, 2)).sum().backward()
    if sys.argv[1] == "stops":
        raise SystemExit(130)

try:
    with process_group("cpu", 0, False):
        work()
finally:
    print(sorted(path.read_text() for path in Path("/proc/self/task").glob("*/comm") if "gloo" in path.read_text()))
"""


def test_shards_are_everything_once() -> None:
    shards = [shard(range(10), Runtime(CPU, rank, 3)) for rank in range(3)]
    assert sorted(i for s in shards for i in s) == list(range(10)) and [len(s) for s in shards] == [4, 3, 3]


def test_alone_collectives_are_the_value_itself() -> None:
    runtime = Runtime(CPU)
    assert broadcast({"a": 1}) == {"a": 1} and gather(2) == [2] and any_ranks([True, False], runtime) == [True, False]
    assert sum_over_ranks(torch.tensor(3)) == 3 and mean_over_ranks(torch.tensor(4.0)) == 4
    assert agreed(lambda: 5, runtime) == 5


def test_alone_an_error_of_the_plan_is_raised() -> None:
    def fail() -> int:
        raise WsssError("no")

    with pytest.raises(WsssError, match="no"):
        agreed(fail, Runtime(CPU))


def test_workers_share_the_cores() -> None:
    assert default_workers(3, 8, CPU) == 3
    assert default_workers(None, cores(), CPU) == 0
    assert default_workers(None, 1, torch.device("cuda")) == min(8, cores())


def test_unknown_device() -> None:
    with pytest.raises(WsssError, match="--device warp: "):
        choose_device("warp")


def test_ranks_without_a_meeting_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(WsssError, match="the ranks did not meet at"), process_group("cpu", 0, False):
        pass


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks /proc for threads")
@pytest.mark.parametrize(("how", "code"), [("ends", 0), ("stops", 130)])
def test_a_rank_that_has_left_has_no_thread_of_the_group(how: str, code: int) -> None:
    """One that frees its last tensor while Python ends aborts: "terminate called without an active exception"."""
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    env = {**os.environ, **meet, "RANK": "0", "WORLD_SIZE": "1"}
    words = [sys.executable, "-c", LEAVING, how]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (code, "[]\n"), done.stderr
