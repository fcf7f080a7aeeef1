"""A training step of every decode head and the memory that it keeps for the backward pass, beside plain FCN's step.

python -m bench.nets
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from bench.row import Row
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.outputs import training_losses
from wsss_cli.nets.heads.table import HEADS
from wsss_cli.nets.segmenter import Segmenter

CUDA = torch.cuda.is_available()
BACKBONE, BATCH, CROP = ("resnet101c", 4, 512) if CUDA else ("mobilenetv2_100", 2, 64)
OWN = {"fcn_hr": "hrnet_w18", "ocrnet": "hrnet_w18", "fastscnn": "fastscnn", "cgnet": "cgnet"}
STEPS = 3


def main() -> list[Row]:
    fcn, _ = _step("fcn")
    return [_row(head, fcn) for head in HEADS]


def _row(head: str, fcn: float) -> Row:
    seconds, kept = _step(head)
    where = f"{OWN.get(head, BACKBONE)}, {BATCH} x {CROP} x {CROP}"
    note = f"{kept / 2**20:.0f} MB kept for backward; beside: fcn; {where}"
    return Row(f"training step, {head}, seconds", seconds, fcn, fcn / seconds, note)


def _step(head: str) -> tuple[float, int]:
    """The shortest step after the first, and the bytes that autograd keeps in it."""
    device = torch.device("cuda" if CUDA else "cpu")
    net = build_segmenter(Net(head=head, backbone=OWN.get(head, BACKBONE), pretrained="none"), 21).to(device).train()
    images = torch.randn(BATCH, 3, CROP, CROP, device=device)
    labels = torch.randint(21, (BATCH, CROP, CROP), dtype=torch.uint8, device=device)
    kept = _run(net, images, labels)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        _run(net, images, labels)
        times.append(time.perf_counter() - start)
    return min(times), kept


def _run(net: Segmenter, images: Tensor, labels: Tensor) -> int:
    kept = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        losses = training_losses(net(images, outputs=True), labels, cross_entropy)
    torch.stack(list(losses.values())).sum().backward()
    for p in net.parameters():
        kept.pop(p.untyped_storage().data_ptr(), None)
        p.grad = None
    if CUDA:
        torch.cuda.synchronize()
    return sum(kept.values())


if __name__ == "__main__":
    print(*main(), sep="\n")
