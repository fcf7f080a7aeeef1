"""Official checkpoints of ToCo and of what is built on it, model_iter_N.pth, under our names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn

from wsss_cli.engine.part import Taken, meta, train_or_take
from wsss_cli.job import Job
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, rename
from wsss_cli.single_stage.config import VitNet

NAMES: Pairs = (("encoder.", "encoder.body."),)

C = TypeVar("C", bound=VitNet)
N = TypeVar("N", bound=nn.Module)


def load_network(net: nn.Module, path: Path | str, what: str, unused: tuple[str, ...], trust: bool) -> tuple[str, ...]:
    """Load a file whose tensors named by the prefixes `unused` have no use; returns their names.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.
    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    state = read_weights(path, trust)
    left = tuple(k for k in state if k.startswith(unused))
    load_exactly(net, {rename(k, NAMES): v for k, v in state.items() if k not in left}, what, str(path), left)
    return left


def train_or_take_official(
    job: Job,
    build: Callable[[C, int], N],
    load: Callable[[N, str, bool], object],
    train: Callable[[], dict[str, float]],
) -> dict[str, float]:
    """checkpoint.pt of what train() leaves, or of the authors' network.  Raises WsssError if their file does not fit.

    build, load  what makes a network of a configuration and of C, and what fills it from a file
    """
    file = job.config.checkpoint
    network = job.config.net if file is None else job.config.net.official()

    def take(file: str) -> Taken:
        net = build(network.untrained(), job.data.num_classes)
        load(net, file, job.runtime.trust)
        return Taken(net)

    return train_or_take(job, job.folder, meta(job, network), file, take, train)
