"""The process pool: results, order of drawing, errors, and that nothing is left behind."""

import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from processes import Forked, until
from wsss_cli.errors import WsssError
from wsss_cli.parallel.unordered import map_unordered


@pytest.mark.parametrize("workers", [0, 2])
def test_every_task_once(workers: int) -> None:
    results = dict(map_unordered(math.pow, ((n, 2) for n in range(20)), workers))
    assert results == {n: n**2 for n in range(20)}


def test_runs_in_processes_of_one_thread() -> None:
    assert all(threads == 1 for _, threads in map_unordered(torch.get_num_threads, [()] * 3, 2))
    assert all(pid != os.getpid() for _, pid in map_unordered(os.getpid, [()] * 3, 2))
    assert all(pid == os.getpid() for _, pid in map_unordered(os.getpid, [()] * 3, 0))


def test_draws_only_what_it_needs() -> None:
    drawn = []

    def tasks() -> Iterator[tuple[int]]:
        for n in range(100):
            drawn.append(n)
            yield (n,)

    results = map_unordered(math.sqrt, tasks(), workers=1, ahead=3)
    for taken in range(1, 6):
        next(results)
        assert len(drawn) <= taken + 3
    results.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_surface_as_they_are(workers: int) -> None:
    with pytest.raises(ValueError, match="domain"):
        list(map_unordered(math.sqrt, [(1,), (-1,), (2,)], workers))


def test_leaving_early_ends_the_processes() -> None:
    import multiprocessing

    results = map_unordered(time.sleep, [(0.01,)] * 50, 2)
    next(results)
    results.close()
    assert multiprocessing.active_children() == []


def test_a_dead_worker_is_told() -> None:
    with pytest.raises(WsssError, match="fewer workers"):
        list(map_unordered(os._exit, [(1,)], 1))


def test_a_signal_does_not_wait_for_what_takes_long(tmp_path: Path) -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        task = "__import__('pathlib').Path('started').touch() or __import__('time').sleep(60)"
        list(map_unordered(eval, [(task,)] * 4, 2))

    process = Forked(work, tmp_path)
    until((tmp_path / "started").exists)
    process.send(signal.SIGTERM)
    assert process.wait(5).code == 143
