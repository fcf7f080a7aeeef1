"""`wsss --help` as a whole process, beside a process that only imports torch.

python -m bench.startup
"""

from __future__ import annotations

import subprocess
import sys
import time

from bench.row import Row


def main() -> list[Row]:
    ours, theirs = [], []
    for _ in range(5):
        ours.append(_seconds("-m", "wsss_cli", "--help"))
        theirs.append(_seconds("-c", "import torch"))
    a, b = sorted(ours)[2], sorted(theirs)[2]
    return [Row("wsss --help, seconds", a, b, b / a, "median of 5; beside: python -c 'import torch'")]


def _seconds(*args: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(*main(), sep="\n")
