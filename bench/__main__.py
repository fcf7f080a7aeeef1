"""Run every benchmark of this folder and print their rows as one table: python -m bench [--device D] [name ...]."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Callable

import torch

import bench
from bench.device import DEVICES, described
from bench.row import HEAD, Row
from wsss_cli.ranks.distributed import choose_device

OWN = (
    "cams",
    "cases",
    "device",
    "edges",
    "gate",
    "gpu",
    "labels",
    "measure",
    "of_run",
    "predict",
    "row",
    "steps",
    "tags",
    "thresholds",
    "training",
    "tune",
    "__main__",
)
"""What is no benchmark, or has a command and a table of its own."""


def main(names: list[str], device: torch.device) -> None:
    found = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.ispkg]
    print(described(device), HEAD, sep="\n")
    for name in names or [name for name in found if name not in OWN]:
        for row in rows(importlib.import_module(f"bench.{name}").main, device):
            print(row, flush=True)


def rows(bench_main: Callable[..., list[Row]], device: torch.device) -> list[Row]:
    """Those of a bench, on the device if it has anything to run there."""
    return bench_main(device) if "device" in inspect.signature(bench_main).parameters else bench_main()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    main(given.names, choose_device(given.device))
