"""CPU seconds and peak memory, each of what is measured alone in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def alone(module: str, *words: str) -> dict[str, float]:
    """What `python -m module words` prints as JSON."""
    ran = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def report(run: Callable[[], object], rounds: int, clock: Callable[[], float] = time.process_time) -> None:
    """Print what `alone` reads: the least CPU seconds of some rounds, and the megabytes they needed."""
    before = peak_mb()
    seconds = cpu_seconds(run, rounds, clock)
    print(json.dumps({"seconds": seconds, "mb": peak_mb() - before}))


def cpu_seconds(run: Callable[[], object], rounds: int, clock: Callable[[], float] = time.process_time) -> float:
    """The least of some rounds, of this process's own time, which other processes do not stretch much.

    clock  time.perf_counter for several threads, whose waiting is no work
    """
    times = []
    for _ in range(rounds):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def peak_mb() -> float:
    """The most memory this process ever held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
