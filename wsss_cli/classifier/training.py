"""The training of a stage's network on its way to seeds: SGD at two rates, or weights that are taken from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from wsss_cli.batches.loader import TrainingData
from wsss_cli.batches.segmentation import to_device
from wsss_cli.classifier.config import Sgd
from wsss_cli.engine.checkpoint import seed_all
from wsss_cli.engine.loop import Loop, Step, Training, fit, total_iterations
from wsss_cli.engine.optimiser import factor
from wsss_cli.engine.part import Taken, meta, train_or_take
from wsss_cli.engine.schedules import poly
from wsss_cli.job import Job
from wsss_cli.nets.normalisation import Pretrained

C = TypeVar("C", bound=Pretrained)
N = TypeVar("N", bound=nn.Module)


class Settings(Protocol):
    """Those of such a training, as in `TagTraining`."""

    @property
    def checkpoint(self) -> str | None: ...

    @property
    def optimiser(self) -> Sgd: ...

    @property
    def loop(self) -> Loop: ...


@dataclass(frozen=True)
class Learning:
    """What is learnt from, the losses of a step, and what learns how fast."""

    data: TrainingData
    step: Step
    optimizer: torch.optim.Optimizer


def train_part(
    job: Job,
    name: str,
    network: C,
    config: Settings,
    build: Callable[[C], N],
    learning: Callable[[N], Learning],
    take: Callable[[N, str], object],
    method: str,
    title: str = "",
) -> dict[str, Any]:
    """Leave <name>/checkpoint.pt, a checkpoint of `method`; returns its last losses.

    build     the network with random weights
    learning  gives it those it starts from, and says how it learns
    take      fills it with the trained weights of a file instead, where the settings name one
    """
    file = config.checkpoint
    settled = network if file is None else network.official()
    about = meta(job, settled, method, name)

    def train() -> dict[str, float]:
        seed_all(job.config.seed)  # whatever ran before in this process
        net = build(settled)
        return fit_part(job, name, net, learning(net), config, about, title)

    def taken(file: str) -> Taken:
        net = build(settled)
        take(net, file)
        return Taken(net)

    return train_or_take(job, job.folder / name, about, file, taken, train)


def fit_part(
    job: Job, name: str, net: nn.Module, learning: Learning, config: Settings, about: dict[str, Any], title: str = ""
) -> dict[str, float]:
    """The training itself, in the stage's folder <name>."""
    power, total = config.optimiser.power, total_iterations(config.loop, len(learning.data))
    training = Training(
        model=net,
        step=learning.step,
        optimizer=learning.optimizer,
        factor=factor(config.optimiser, total, lambda k: poly(k, total, power)),
        data=learning.data,
        prepare=to_device,
        meta=about,
    )
    folder, title = job.folder / name, title or f"train {name}"
    return fit(training, config.loop, job.runtime, folder, title=title, seed=job.config.seed)
