"""The dense CRF's memory against the compiled pydensecrf2's: 3 classes at three sizes, each run in its own process.

python -m bench.crf_memory
"""

from __future__ import annotations

import sys

import torch
from torch.nn.functional import interpolate

from bench.crf import H, W, textured_image
from bench.measure import alone, report
from bench.row import Row
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.refine.crf import dense_crf
from wsss_cli.refine.crf_config import DEEPLAB

SIZES = ((500, 375), (1200, 900), (2000, 1500))
CLASSES = 3


def main() -> list[Row]:
    rows = []
    for width, height in SIZES:
        ours, theirs = (
            alone("bench.crf_memory", backend, str(width), str(height))["mb"] for backend in ("native", "pydensecrf")
        )
        rows.append(Row("dense CRF, peak MB", ours, theirs, theirs / ours, f"{width}x{height}, {CLASSES} classes"))
    return rows


def _run(backend: str, width: int, height: int) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()  # as every worker does
    generator = torch.Generator().manual_seed(0)
    image = textured_image(generator).repeat(-(-height // H), -(-width // W), 1)[:height, :width].contiguous()
    grid = torch.randn(1, CLASSES, height // 64, width // 64, generator=generator)
    unary = interpolate(grid, (height, width), mode="bilinear")[0].mul_(-4)  # little memory until here
    crf = DEEPLAB.model_copy(update={"backend": backend})
    report(lambda: dense_crf(image, unary, crf), 1)


if __name__ == "__main__":
    if sys.argv[1:]:
        _run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        print(*main(), sep="\n")
