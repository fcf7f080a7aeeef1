"""The confusion matrix of one VOC image: one histogram of byte pairs against torchmetrics.

python -m bench.confusion
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from bench.device import command, where
from bench.measure import in_turns
from bench.row import Row
from wsss_cli.metrics.confusion import confusion

CLASSES, H, W, ROUNDS = 21, 375, 500, 30


def main(device: torch.device) -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # an image is too small to share
    try:
        return [_row(device)]
    finally:
        torch.set_num_threads(threads)


def _row(device: torch.device) -> Row:
    torch.manual_seed(0)
    truth = torch.randint(0, CLASSES, (H, W), dtype=torch.uint8, device=device)
    truth[:20] = 255
    prediction = torch.randint(0, CLASSES, (H, W), dtype=torch.uint8, device=device)
    wide_truth, wide_prediction = truth.long(), prediction.long()  # what torchmetrics wants, made outside the clock

    def ours() -> Tensor:
        return confusion(truth, prediction, CLASSES)

    def theirs() -> Tensor:
        return multiclass_confusion_matrix(wide_prediction, wide_truth, CLASSES, ignore_index=255)

    assert torch.equal(ours(), theirs())
    a, b = (1000 * least for least in in_turns([ours, theirs], ROUNDS, device))
    return Row("confusion matrix, ms", a, b, b / a, f"{H} x {W}, {CLASSES} classes, {where(device)}; torchmetrics")


if __name__ == "__main__":
    command(main)
