"""The confusion matrix of one VOC image: one histogram of byte pairs against torchmetrics.

python -m bench.confusion
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from bench.row import Row
from wsss_cli.metrics.confusion import confusion

CLASSES, H, W = 21, 375, 500


def main() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # an image is too small to share
    try:
        return [_row()]
    finally:
        torch.set_num_threads(threads)


def _row() -> Row:
    torch.manual_seed(0)
    truth = torch.randint(0, CLASSES, (H, W), dtype=torch.uint8)
    truth[:20] = 255
    prediction = torch.randint(0, CLASSES, (H, W), dtype=torch.uint8)
    wide_truth, wide_prediction = truth.long(), prediction.long()  # what torchmetrics wants, made outside the clock

    def ours() -> Tensor:
        return confusion(truth, prediction, CLASSES)

    def theirs() -> Tensor:
        return multiclass_confusion_matrix(wide_prediction, wide_truth, CLASSES, ignore_index=255)

    assert torch.equal(ours(), theirs())
    a, b = _milliseconds(ours), _milliseconds(theirs)
    return Row("confusion matrix, ms", a, b, b / a, f"{H} x {W}, {CLASSES} classes, 1 thread; torchmetrics")


def _milliseconds(run: Callable[[], Tensor], repeats: int = 30) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


if __name__ == "__main__":
    print(*main(), sep="\n")
