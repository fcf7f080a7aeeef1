"""What a job does for the stage function."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

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


def test_each_starts_no_process_for_work_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("wsss_cli.job.map_unordered", lambda f, tasks, workers: asked.append(workers) or [])
    for on_device in (True, False):
        job(2, "cuda").each("work", print, (), 0, on_device=on_device)
    assert asked == [0, 3]


def test_as_many_processes_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("wsss_cli.job.map_unordered", lambda f, tasks, workers: asked.append(workers) or [])
    monkeypatch.setattr("wsss_cli.ranks.memory.available_memory", lambda: 10 << 30)
    for workers, need in ((3, 1 << 30), (3, 4 << 30), (3, 40 << 30), (0, 40 << 30), (3, 0)):
        job(workers).each("work", print, (), 0, need=need)
    assert asked == [4, 2, 1, 0, 4]
