"""SGD as the papers train with, or AdamW; the settings that say which, and how the rate moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import nn

from wsss_cli import bounds, ranges
from wsss_cli.config import Config
from wsss_cli.engine.schedules import Warmed, warm_up, warmup_cosine

Group = tuple[Iterable[nn.Parameter], float]
"""Parameters and their base rate."""


class Optimiser(Config):
    """Which optimiser, and its schedule."""

    name: Literal["sgd", "adamw"] = Field("sgd", description="sgd, as released; adamw, for small data: lower its lr")
    lr: float = Field(0.01, gt=0, le=bounds.RATE, description="learning rate of the backbone")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of sgd")
    betas: tuple[ranges.Decay, ranges.Decay] = Field((0.9, 0.999), description="decays of adamw's running means")
    weight_decay: float = Field(1e-4, ge=0, le=bounds.FACTOR, description="weight decay (adamw: around 0.01)")
    warm_up: int = Field(0, ge=0, le=bounds.STEPS, description="iterations in which the rate rises from nothing")
    schedule: Literal["poly", "cosine"] = Field("poly", description="after it: poly, as released, or cosine")
    power: float = Field(0.9, gt=0, le=bounds.POWER, description="poly: lr * (1 - k / total) ** power")


class TwoRates(Optimiser):
    """The same, for a network whose head learns at another rate than its body."""

    head_factor: float = Field(1.0, gt=0, le=bounds.FACTOR, description="factor on the learning rate of the head")


def optimizer(groups: Sequence[Group | dict[str, Any]], o: Optimiser) -> torch.optim.Optimizer:
    """The optimiser over (parameters, base rate) groups, or groups of torch's; what needs no gradient is left out."""
    made: list[dict[str, Any]] = [{"params": g[0], "lr": g[1]} if isinstance(g, tuple) else g for g in groups]
    learnt = [g | {"params": [p for p in g["params"] if p.requires_grad]} for g in made]
    if o.name == "adamw":
        return torch.optim.AdamW(learnt, lr=o.lr, betas=o.betas, weight_decay=o.weight_decay, fused=True)
    return torch.optim.SGD(learnt, lr=o.lr, momentum=o.momentum, weight_decay=o.weight_decay)


def fuse(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """SGD in one kernel over all tensors on a GPU; on a CPU tensor by tensor.  AdamW is made fused, on either.

    Called again after a state was loaded, which may come from another device.  torch is not told that it may leave it
    to the kernel whether a step of fp16 is skipped: where the first one is, the momentum would begin as garbage.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    fused = device.type == "cuda"
    for group in optimizer.param_groups:
        group["fused"], group["foreach"] = fused, None


def at_two_rates(slow: Iterable[nn.Parameter], fast: Iterable[nn.Parameter], o: TwoRates) -> torch.optim.Optimizer:
    """`optimizer` of two groups: the slow one at the base rate, the fast one at head_factor times it."""
    return optimizer([(slow, o.lr), (fast, o.lr * o.head_factor)], o)


def body_and_head(net: nn.Module, o: TwoRates) -> torch.optim.Optimizer:
    """`at_two_rates`, with all that is in no `backbone` as the fast group."""
    named = [("backbone" in name.split("."), p) for name, p in net.named_parameters()]
    return at_two_rates([p for body, p in named if body], [p for body, p in named if not body], o)


def factor(o: Optimiser, total: int, poly: Callable[[int], float]) -> Callable[[int], float]:
    """Iteration k of `total`, from 0, to the factor on every group's rate.

    poly  the released schedule, used where the settings do not ask for another
    """
    if o.schedule == "cosine":
        return Warmed(lambda k: warmup_cosine(k, total, o.warm_up, 0.0), o.warm_up)
    return Warmed(lambda k: poly(k) * (warm_up(k, o.warm_up, 0.0) if k < o.warm_up else 1.0), o.warm_up)
