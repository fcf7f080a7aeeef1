"""A network that a stage makes on its way: trained, taken from its authors, or there already; and loaded back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from wsss_cli.engine import checkpoint
from wsss_cli.job import Job

N = TypeVar("N", bound=nn.Module)
PATH = Path("checkpoint.pt")


def train_or_take(
    job: Job, name: str, net: nn.Module, meta: dict[str, Any], take: Callable[[], Any] | None, fitted: Callable[[], Any]
) -> dict[str, float]:
    """Leave <name>/checkpoint.pt of `net`; returns its last losses, none if the weights were taken.

    meta    what the checkpoint says of itself; what is finished with the same is not made again
    take    fills `net` with trained weights, such as the authors'; None: `fitted` trains it and returns the losses
    """
    path = job.folder / name / PATH
    done = checkpoint.finished(path, meta, job.runtime.trust)
    if done is not None:
        return done
    if take is None:
        return fitted()
    take()
    content = {"meta": meta, "model": net.state_dict(), "done": True, "losses": {}}
    checkpoint.save(path, content, job.runtime)
    return {}


def trained_part(job: Job, folder: Path, method: str, build: Callable[[dict[str, Any]], N]) -> N:
    """The network in a part's folder, with its trained weights; build(its settings) makes it with random ones.

    Raises WsssError if the file is of another method or of other classes.
    """
    path = folder / PATH
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, method, job.data.info.classes)
    net = build(content["meta"]["net"])
    net.load_state_dict(content["model"])
    return net
