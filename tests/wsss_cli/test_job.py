"""What a job does for the stage function."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.ranks.distributed import Runtime


def write_process(path: Path) -> None:
    path.write_text(str(os.getpid()))


def job(workers: int, device: str = "cpu") -> Job:
    nothing: Any = None
    return Job(nothing, nothing, "seeds", nothing, Path(), {}, Runtime(torch.device(device), workers=workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_each_task_is_done_in_processes_only_where_workers_are_wanted(workers: int, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}" for i in range(3)]
    job(workers).each("write", write_process, ((path,) for path in paths), len(paths))
    assert all((path.read_text() == str(os.getpid())) == (workers == 0) for path in paths)


@pytest.mark.parametrize("how", [{"on_device": True}, {"light": True}])
def test_work_on_a_gpu_and_writing_go_on_beside_what_draws_the_tasks(how: dict[str, bool]) -> None:
    """No process is started; the second task is drawn only while the first is at work; errors reach the caller."""
    begun, drawn, me, done = threading.Event(), threading.Event(), threading.get_ident(), []

    def tasks() -> Iterator[tuple[int]]:
        yield (0,)
        assert begun.wait(10)
        drawn.set()
        yield (1,)
        yield (2,)

    def work(number: int) -> None:
        begun.set()
        assert drawn.wait(10) and threading.get_ident() != me
        if number == 2:
            raise WsssError("the disk is full", "make room")
        done.append(number)

    with pytest.raises(WsssError, match="the disk is full"):
        job(2, "cuda").each("work", work, tasks(), 3, **how)
    assert sorted(done) == [0, 1]


def test_what_knows_no_gpu_is_done_in_processes_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("wsss_cli.job.map_unordered", lambda f, tasks, workers: asked.append(workers) or [])
    job(2, "cuda").each("work", print, (), 0)
    assert asked == [3]


def test_as_many_processes_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("wsss_cli.job.map_unordered", lambda f, tasks, workers: asked.append(workers) or [])
    monkeypatch.setattr("wsss_cli.ranks.memory.available_memory", lambda: 10 << 30)
    for workers, need in ((3, 1 << 30), (3, 4 << 30), (3, 40 << 30), (0, 40 << 30), (3, 0)):
        job(workers).each("work", print, (), 0, need=need)
    assert asked == [4, 2, 1, 0, 4]
