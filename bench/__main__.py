"""Run every benchmark of this folder and print their rows as one table: python -m bench [name ...]."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench
from bench.row import Row


def main(wanted: list[str]) -> None:
    found = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.ispkg]
    names = wanted or [name for name in found if name not in ("row", "measure", "tune", "__main__")]
    print(f"{'what':32}{'ours':>10}{'theirs':>10}{'ratio':>8}  note")
    for name in names:
        for row in importlib.import_module(f"bench.{name}").main():
            print(line(row), flush=True)


def line(row: Row) -> str:
    return f"{row.what:32}{row.ours:10.3g}{row.theirs:10.3g}{row.ratio:7.1f}x  {row.note}"


if __name__ == "__main__":
    main(sys.argv[1:])
