"""The random walk: 256 sparse steps against the dense matrix squared eight times, each in a process of its own.

python -m bench.walk
"""

from __future__ import annotations

import json
import sys
import time

import torch

from bench.measure import alone, peak_mb
from bench.row import Row
from wsss_irn.walk import dense_walk, random_walk

CLASSES, H, W = 2, 94, 125  # a 375 x 500 image at stride 4, with two tags
SQUARINGS = 8


def main() -> list[Row]:
    ours, theirs = alone("bench.walk", "sparse"), alone("bench.walk", "dense")
    note = f"{H} x {W} cells, radius 5, {CLASSES} classes; one squaring timed, counted {SQUARINGS} times"
    return [
        Row("random walk, seconds", ours["seconds"], theirs["seconds"], theirs["seconds"] / ours["seconds"], note),
        Row("random walk, peak MB", ours["mb"], theirs["mb"], theirs["mb"] / ours["mb"], "above the loaded libraries"),
    ]


def _sparse(x: torch.Tensor, edge: torch.Tensor) -> float:
    return _seconds(lambda: random_walk(x, edge), repeats=3)


def _dense(x: torch.Tensor, edge: torch.Tensor) -> float:
    none, one = (_seconds(lambda n=n: dense_walk(x, edge, exp_times=n), repeats=1) for n in (0, 1))
    return none + SQUARINGS * (one - none)


def _seconds(run, repeats: int) -> float:  # type: ignore[no-untyped-def]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _report(which: str) -> None:
    torch.manual_seed(0)
    x, edge = torch.rand(CLASSES, H, W), torch.rand(H, W)
    random_walk(x[:, :8, :8], edge[:8, :8])  # loads what is loaded lazily
    before = peak_mb()
    seconds = {"sparse": _sparse, "dense": _dense}[which](x, edge)
    print(json.dumps({"seconds": seconds, "mb": peak_mb() - before}))


if __name__ == "__main__":
    if sys.argv[1:]:
        _report(sys.argv[1])
    else:
        print(*main(), sep="\n")
