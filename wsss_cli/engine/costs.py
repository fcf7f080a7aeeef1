"""How long the work of stages takes on this machine: each unit is timed once, briefly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from wsss_cli.load_object import load_object
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.config import Net, add_stem, build_segmenter
from wsss_cli.work import Call, Pass, Work

TOGETHER = 2  # images of a timed step that learns: batch norms of pooled features need more than one
TIMES, ENOUGH = 4, 3.0  # at most so often, and no more after so many seconds


@dataclass
class Costs:
    """Seconds of each unit of work, timed when they are first asked for.

    processes  that work on single images is spread over
    known      what was timed before, by `str` of the unit, and is timed now
    """

    device: torch.device
    processes: int = 1
    known: dict[str, float] = field(default_factory=dict)

    def of(self, work: Iterable[Work]) -> dict[str, float]:
        """Seconds of each part, by what it is; parts of one name are added."""
        found: dict[str, float] = {}
        for part in work:
            found[part.what] = found.get(part.what, 0.0) + part.count * self.seconds(part.unit)
        return found

    def seconds(self, unit: Pass | Call) -> float:
        if str(unit) not in self.known:
            measure = _passed if isinstance(unit, Pass) else _called
            self.known[str(unit)] = measure(unit, self.device)  # type: ignore[arg-type]
        apart = isinstance(unit, Call) and unit.shared and not (unit.on_device and self.device.type == "cuda")
        return self.known[str(unit)] / (self.processes if apart else 1)


def _called(unit: Call, device: torch.device) -> float:
    """On one thread where each process has one."""
    function, threads = load_object(unit.function), torch.get_num_threads()
    place = device if unit.on_device else torch.device("cpu")

    def call() -> None:
        with place:
            function(*unit.arguments)
        if place.type == "cuda":
            torch.cuda.synchronize(place)

    if unit.shared:
        torch.set_num_threads(1)
    try:
        return _timed(call)
    finally:
        torch.set_num_threads(threads)


def _passed(unit: Pass, device: torch.device) -> float:
    """Seconds of one image."""
    net, together = _network(unit).to(device, memory_format=torch.channels_last), TOGETHER if unit.learns else 1  # type: ignore[call-overload]
    net.train(unit.learns)
    images = torch.rand(together, 3, unit.height, unit.width, device=device)

    def step() -> None:
        with torch.set_grad_enabled(unit.learns):
            out = _total(net(images))
        if out.requires_grad:
            out.backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return _timed(step) / together


def _timed(step: Callable[[], Any]) -> float:
    """Seconds of the quickest of a few times: the first is slow, and others may want the machine."""
    took: list[float] = []
    while len(took) < 2 or (len(took) < TIMES and sum(took) < ENOUGH):
        start = time.perf_counter()
        step()
        took.append(time.perf_counter() - start)
    return min(took)


def _network(unit: Pass) -> nn.Module:
    """One of random weights that takes as long."""
    config = unit.network
    if isinstance(config, Net):
        return build_segmenter(config.untrained(), unit.outputs)
    if config.backbone.startswith(("vit_", "deit")):
        vit = ViT(config.backbone, config.backbone_args)
        if stem := getattr(config, "stem", None):
            add_stem(vit, stem.untrained())
        return vit
    stride, dilate = getattr(config, "output_stride", 16), bool(getattr(config, "dilate", False))
    return Backbone(config.backbone, stride, dilate=dilate, args=config.backbone_args)


def _total(out: Any) -> Tensor:
    """The sum of what a network gives, so that all of it learns."""
    if isinstance(out, Tensor):
        return out.float().sum()
    parts = out if isinstance(out, list | tuple) else list(vars(out).values())
    tensors = [part for part in parts if isinstance(part, Tensor) and part.is_floating_point()]
    return torch.stack([part.float().sum() for part in tensors]).sum()
