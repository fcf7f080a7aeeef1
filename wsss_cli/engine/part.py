"""A network that a stage makes, on its way or as its result: trained, taken from its authors, or there already.

losses = train_or_take(job, job.folder, meta(job, net), config.checkpoint, take, train)
net = trained_part(job, path, build)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from wsss_cli.engine import checkpoint
from wsss_cli.job import Job
from wsss_cli.nets.normalisation import Pretrained

N = TypeVar("N", bound=nn.Module)
PATH = Path("checkpoint.pt")


@dataclass(frozen=True)
class Taken:
    """A network with trained weights that come from elsewhere.

    modules  further ones that training keeps beside the model, such as a teacher
    result   what the stage says of itself instead of losses
    """

    model: nn.Module
    modules: Mapping[str, nn.Module] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)


def meta(job: Job, net: Pretrained, method: str = "", part: str = "") -> dict[str, Any]:
    """What a checkpoint says of itself: enough to rebuild the network and to refuse a wrong data set.

    method, part  whose it is, if not the job's method and stage
    """
    whose = {"method": method or job.method.name, "stage": part or job.stage}
    return {**whose, "classes": list(job.data.info.classes), "net": net.told()}


def train_or_take(
    job: Job,
    folder: Path,
    meta: dict[str, Any],
    file: str | None,
    take: Callable[[str], Taken],
    train: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """Leave folder/checkpoint.pt; returns its last losses.

    meta   what the checkpoint says of itself; a training that is finished with the same is not done again
    file   trained weights, such as the authors', which take(file) reads; None: train() leaves the checkpoint
    """
    if file is not None:
        return keep(job, folder, meta, take(file))
    done = checkpoint.finished(folder / PATH, meta, job.runtime.trust)
    if done is None:
        return train()
    job.say(f"{folder.name}: finished already")
    return done


def keep(job: Job, folder: Path, meta: dict[str, Any], taken: Taken) -> dict[str, Any]:
    """Leave folder/checkpoint.pt of weights that were taken; returns what the stage says of itself."""
    result = dict(taken.result)
    states = {name: module.state_dict() for name, module in taken.modules.items()}
    content = {"model": taken.model.state_dict(), "modules": states, "done": True, "losses": result}
    checkpoint.save(folder / PATH, {"meta": meta, **content}, job.runtime)
    return result


def read_part(job: Job, path: Path, method: str = "") -> dict[str, Any]:
    """A checkpoint.  Raises WsssError if it is damaged, of another method (the job's) or of other classes."""
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, method or job.method.name, job.data.info.classes)
    return content


def trained_part(
    job: Job, path: Path, build: Callable[[dict[str, Any]], N], method: str = "", weights: str = "model"
) -> N:
    """The trained network of a checkpoint; build(its meta) makes it with random weights, so nothing is downloaded.

    weights  "model", or "modules.NAME": of another module that training kept, such as a teacher
    Raises WsssError as `read_part`, KeyError if there is no such module.
    """
    content = read_part(job, path, method)
    net = build(content["meta"])
    state = content
    for key in weights.split("."):
        state = state[key]
    net.load_state_dict(state)
    return net
