"""Seconds and peak memory on any device; each of what is measured alone in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

CPU = torch.device("cpu")
Clock = Callable[[], float]


def alone(module: str, *words: str, device: torch.device | None = None) -> dict[str, float]:
    """What `python -m module words` prints as JSON."""
    asked = () if device is None else ("--device", device.type)
    ran = subprocess.run([sys.executable, "-m", module, *asked, *words], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def report(run: Callable[[], object], rounds: int, device: torch.device = CPU, clock: Clock | None = None) -> None:
    """Print what `alone` reads: the least seconds of some rounds, and what they needed beyond the start."""
    before = held_mb(device)
    least = seconds(run, rounds, device, clock)
    print(json.dumps({"seconds": least, "mb": peak_mb(device) - before}))


def seconds(run: Callable[[], object], rounds: int, device: torch.device = CPU, clock: Clock | None = None) -> float:
    """The least seconds of some rounds; see `in_turns`."""
    return in_turns([run], rounds, device, clock)[0]


def in_turns(
    runs: list[Callable[[], object]], rounds: int, device: torch.device = CPU, clock: Clock | None = None
) -> list[float]:
    """The least seconds of each over some rounds, one after the other in each round.

    On a CPU this process's own time, which other processes do not stretch much; on a GPU from the first launch to the
    end of the last kernel, after a round that is not counted, in which kernels are loaded and chosen.

    clock  time.perf_counter on a CPU for several threads, whose waiting is no work
    """
    if device.type == "cuda":
        for run in runs:
            run()
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for seen, run in zip(times, runs):
            seen.append(_on_gpu(run, device) if device.type == "cuda" else _timed(run, clock or time.process_time))
    return [min(seen) for seen in times]


def _timed(run: Callable[[], object], clock: Clock) -> float:
    start = clock()
    run()
    return clock() - start


def _on_gpu(run: Callable[[], object], device: torch.device) -> float:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize(device)
    start.record()
    run()
    end.record()
    torch.cuda.synchronize(device)
    return start.elapsed_time(end) / 1000


def held_mb(device: torch.device = CPU) -> float:
    """What there is before a measurement: on a GPU its tensors, elsewhere the process's peak so far."""
    if device.type != "cuda":
        return peak_mb()
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device) / 2**20


def peak_mb(device: torch.device = CPU) -> float:
    """The most memory that this process ever held (Linux); on a GPU the most of its tensors since `held_mb`."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
