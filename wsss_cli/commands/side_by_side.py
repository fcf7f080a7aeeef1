"""Commands of `wsss` in processes of their own; several at a time share the machine, each with its part of it."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from wsss_cli import console
from wsss_cli.ranks import launch

T = TypeVar("T")
Start = Callable[[Sequence[str]], int]
"""Runs `wsss WORDS` and returns its exit code."""
Begin = Callable[[int, int], Start]
"""From a job's number and the number of jobs."""


def in_jobs(make: Callable[[T, Start, threading.Event], None], works: Iterable[T], jobs: int, begin: Begin) -> None:
    """`make(work, start, ended)` for all, so many at a time; `ended` is set when no more is to be started.

    Raises the first one's exception once those that run have returned.
    """
    ended = threading.Event()
    if jobs == 1:  # in this thread, which is the one that hears an interruption
        for work in works:
            make(work, begin(0, 1), ended)
        return
    free = queue.SimpleQueue[int]()
    for job in range(jobs):
        free.put(job)

    def make_one(work: T) -> None:
        job = free.get()
        try:
            if not ended.is_set():
                make(work, begin(job, jobs), ended)
        except BaseException:
            ended.set()
            raise
        finally:
            free.put(job)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in [pool.submit(make_one, work) for work in works]:
                done.result()
        except BaseException:
            ended.set()  # the commands that run have heard an interruption, too, and save
            raise


def command(words: Sequence[str]) -> int:
    """`wsss WORDS` in a process of its own: so its memory is its own, and its failure ends nothing else."""
    with _begun(words) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.wait()  # it has heard it, too, and saves
            raise


def starter(job: int, jobs: int) -> Start:
    """`command` for the job-th of so many, each in a thread of its own.

    One of several has its part of the cores and of the GPUs, for networks with as many threads as there are cores
    mostly wait for each other, and its lines bear the job's number.
    """
    if jobs == 1:
        return command
    gpus = part(_gpus(), job, jobs)

    def start(words: Sequence[str]) -> int:
        if hasattr(os, "sched_setaffinity"):  # of this thread, and so of what it starts
            os.sched_setaffinity(0, part(sorted(os.sched_getaffinity(os.getpid())), job, jobs))
        env = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
        with _begun(words, env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
            for line in child.stdout or ():
                console.say(f"job {job}: {line.decode(errors='replace').rstrip()}")
        return child.returncode

    return start


def part(items: Sequence[T], job: int, jobs: int) -> Sequence[T]:
    """Those of the job-th of so many jobs, from 0; where there are fewer than jobs, one that others have, too."""
    return items[job % max(1, len(items)) :: jobs]


def _gpus() -> list[str]:
    """By the names that CUDA_VISIBLE_DEVICES takes."""
    if named := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return named.split(",")
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]


def _begun(words: Sequence[str], env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
    launcher = {launch.LAUNCHER: str(os.getpid())}  # gone, the command saves and leaves
    argv = [sys.executable, "-m", "wsss_cli", *words]
    return subprocess.Popen(argv, env=os.environ | launcher | (env or {}), **options)
