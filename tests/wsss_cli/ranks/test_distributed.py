"""Devices, workers, and the collectives where there is one rank."""

import pytest
import torch

from wsss_cli.errors import WsssError
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
from wsss_cli.ranks.launch import cores

CPU = torch.device("cpu")


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
