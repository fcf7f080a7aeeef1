"""A forward pass of MobileNetV2 on a large image, one thread: malloc that keeps freed blocks against glibc's default.

python -m bench.memory
"""

from __future__ import annotations

import subprocess
import sys
import time

import torch

from bench.row import Row
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.ranks.memory import keep_freed_memory


def main() -> list[Row]:
    times: dict[str, list[float]] = {"keep": [], "default": []}
    for _ in range(3):
        for which, seen in times.items():
            ran = subprocess.run(
                [sys.executable, "-m", "bench.memory", which], capture_output=True, text=True, check=True
            )
            seen.append(float(ran.stdout))
    ours, theirs = min(times["keep"]), min(times["default"])
    return [Row("CPU forward pass, seconds", ours, theirs, theirs / ours, "2 x 563 x 750, 1 thread; malloc's default")]


@torch.inference_mode()
def _forward(which: str) -> float:
    if which == "keep":
        keep_freed_memory()
    torch.set_num_threads(1)
    net = Backbone("mobilenetv2_100").eval().to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 563, 750).to(memory_format=torch.channels_last)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        net(x)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    print(_forward(sys.argv[1]) if len(sys.argv) > 1 else main())
