"""Commands side by side: each on its part of the machine, none begun once one has ended all."""

import os
import threading

import pytest

from wsss_cli import console
from wsss_cli.commands.side_by_side import Start, in_jobs, part, starter


@pytest.mark.parametrize("jobs", [1, 2, 3, 8])
def test_parts_are_all_of_it_and_none_is_empty(jobs: int) -> None:
    items = list("abc")
    parts = [part(items, job, jobs) for job in range(jobs)]
    assert set().union(*parts) == set(items) and all(parts)
    assert sum(map(len, parts)) == max(len(items), jobs)
    assert part([], 1, jobs) == []


def test_a_job_has_its_cores_and_gpus_and_says_whose_lines_are_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(console, "say", said.append)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7,9")
    codes, cores = [], []

    def job() -> None:
        codes.append(starter(1, 2)(["--version"]))
        codes.append(starter(1, 2)(["no-such-command"]))
        cores.append(os.sched_getaffinity(0))  # what its processes inherit

    before = os.sched_getaffinity(0)
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert codes == [0, 2] and said[0].startswith("job 1: wsss ")
    assert all(line.startswith("job 1: ") for line in said) and any("no-such-command" in line for line in said)
    assert cores == [set(part(sorted(before), 1, 2))] and os.sched_getaffinity(0) == before


def test_works_run_side_by_side_each_by_a_job_of_its_own() -> None:
    together = threading.Barrier(2, timeout=20)
    seen: list[tuple[str, int]] = []

    def make(work: str, start: Start, ended: threading.Event) -> None:
        together.wait()
        seen.append((work, start([])))

    in_jobs(make, "abcd", 2, lambda job, jobs: lambda words: job)
    assert sorted(work for work, _ in seen) == list("abcd") and {job for _, job in seen} == {0, 1}


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_exception_ends_it(jobs: int) -> None:
    begun: list[int] = []

    def make(work: int, start: Start, ended: threading.Event) -> None:
        begun.append(work)
        if work == 0:
            raise KeyboardInterrupt
        assert ended.wait(20)

    with pytest.raises(KeyboardInterrupt):
        in_jobs(make, range(50), jobs, lambda job, jobs: lambda words: 0)
    assert len(begun) <= jobs
