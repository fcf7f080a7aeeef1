"""The random walk: 256 sparse steps against the dense matrix squared eight times, each in a process of its own.

python -m bench.walk
"""

from __future__ import annotations

import json
import time

import torch

from bench.device import command
from bench.measure import alone, held_mb, peak_mb, seconds
from bench.row import Row
from wsss_irn.walk import dense_walk, random_walk

CLASSES, H, W = 2, 94, 125  # a 375 x 500 image at stride 4, with two tags
SQUARINGS = 8


def main(device: torch.device) -> list[Row]:
    ours, theirs = (alone("bench.walk", which, device=device) for which in ("sparse", "dense"))
    note = f"{H} x {W} cells, radius 5, {CLASSES} classes; on a CPU one squaring timed, counted {SQUARINGS} times"
    return [
        Row("random walk, seconds", ours["seconds"], theirs["seconds"], theirs["seconds"] / ours["seconds"], note),
        Row("random walk, peak MB", ours["mb"], theirs["mb"], theirs["mb"] / ours["mb"], "above the loaded libraries"),
    ]


def _sparse(x: torch.Tensor, edge: torch.Tensor) -> float:
    return seconds(lambda: random_walk(x, edge), 3, x.device, time.perf_counter)


def _dense(x: torch.Tensor, edge: torch.Tensor) -> float:
    if x.device.type == "cuda":
        return seconds(lambda: dense_walk(x, edge, exp_times=SQUARINGS), 3, x.device)
    none, one = (
        seconds(lambda n=n: dense_walk(x, edge, exp_times=n), 1, clock=time.perf_counter)  # type: ignore[misc]
        for n in (0, 1)
    )
    return none + SQUARINGS * (one - none)


def _report(device: torch.device, which: str) -> None:
    torch.manual_seed(0)
    x, edge = torch.rand(CLASSES, H, W, device=device), torch.rand(H, W, device=device)
    random_walk(x[:, :8, :8], edge[:8, :8])  # loads what is loaded lazily
    before = held_mb(device)
    least = {"sparse": _sparse, "dense": _dense}[which](x, edge)
    print(json.dumps({"seconds": least, "mb": peak_mb(device) - before}))


if __name__ == "__main__":
    command(main, _report)
