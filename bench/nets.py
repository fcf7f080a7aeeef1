"""A training step of every decode head and the memory that it keeps for the backward pass, beside plain FCN's step.

python -m bench.nets
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from bench.device import command
from bench.measure import seconds
from bench.row import Row
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.outputs import training_losses
from wsss_cli.nets.heads.table import HEADS
from wsss_cli.nets.segmenter import Segmenter

SIZES = {"cuda": ("resnet101c", 4, 512), "cpu": ("mobilenetv2_100", 2, 64)}
"""By the device: backbone, batch and crop."""
OWN = {"fcn_hr": "hrnet_w18", "ocrnet": "hrnet_w18", "fastscnn": "fastscnn", "cgnet": "cgnet"}
STEPS = 3


def main(device: torch.device) -> list[Row]:
    fcn, _ = _step("fcn", device)
    return [_row(head, fcn, device) for head in HEADS]


def _row(head: str, fcn: float, device: torch.device) -> Row:
    least, kept = _step(head, device)
    backbone, batch, crop = SIZES[device.type]
    where = f"{OWN.get(head, backbone)}, {batch} x {crop} x {crop}"
    note = f"{kept / 2**20:.0f} MB kept for backward; beside: fcn; {where}"
    return Row(f"training step, {head}, seconds", least, fcn, fcn / least, note)


def _step(head: str, device: torch.device) -> tuple[float, int]:
    """The shortest step after the first, and the bytes that autograd keeps in it."""
    backbone, batch, crop = SIZES[device.type]
    net = build_segmenter(Net(head=head, backbone=OWN.get(head, backbone), pretrained="none"), 21).to(device).train()
    images = torch.randn(batch, 3, crop, crop, device=device)
    labels = torch.randint(21, (batch, crop, crop), dtype=torch.uint8, device=device)
    kept = _run(net, images, labels)
    return seconds(lambda: _run(net, images, labels), STEPS, device, time.perf_counter), kept


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
    return sum(kept.values())


if __name__ == "__main__":
    command(main)
