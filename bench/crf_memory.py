"""The dense CRF's memory against the compiled pydensecrf2's: 3 classes at three sizes, each run in its own process.

python -m bench.crf_memory
"""

from __future__ import annotations

import sys

import torch
from torch.nn.functional import interpolate

from bench.crf import scores, textured_image
from bench.measure import alone, report
from bench.row import Row
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.refine.crf import dense_crf, unary_from_softmax
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
    small = textured_image(generator).permute(2, 0, 1)[None].float()
    image = interpolate(small, (height, width), mode="nearest")[0].byte().permute(1, 2, 0).contiguous()
    unary = unary_from_softmax(scores(image, 0.0, generator)[:CLASSES])
    crf = DEEPLAB.model_copy(update={"backend": backend})
    report(lambda: dense_crf(image, unary, crf), 1)


if __name__ == "__main__":
    if sys.argv[1:]:
        _run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        print(*main(), sep="\n")
