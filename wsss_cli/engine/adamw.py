"""AdamW with warm-up, for transformers: a rate for the encoder, a larger one for the heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from wsss_cli import bounds, ranges
from wsss_cli.config import Config
from wsss_cli.engine.schedules import Warmed, warmup_cosine, warmup_poly

TOKENS = ("pos_embed", "cls_token", "mask_token")


class AdamW(Config):
    """AdamW and its schedule; defaults are those of ToCo's released code."""

    lr: float = Field(6e-5, gt=0, le=bounds.RATE, description="learning rate of the encoder (ToCo)")
    head_factor: float = Field(
        10.0, gt=0, le=bounds.FACTOR, description="factor on the learning rate of all that is not the encoder"
    )
    betas: tuple[ranges.Decay, ranges.Decay] = Field((0.9, 0.999), description="decays of the running means (ToCo)")
    weight_decay: float = Field(0.01, ge=0, le=bounds.FACTOR, description="weight decay (ToCo; PUF: 0.05)")
    decay: Literal["all", "matrices"] = Field(
        "all", description="what decays: all (ToCo), or neither biases, norms, tokens nor positions (PUF)"
    )
    warm_up: int = Field(1500, ge=0, le=bounds.STEPS, description="iterations in which the rate rises (ToCo)")
    warm_up_ratio: float = Field(1e-6, ge=0, le=1, description="share of the rate that it starts from (ToCo; PUF: 0.1)")
    schedule: Literal["poly", "cosine"] = Field(
        "poly", description="after the warm-up: (1 - k / total) ** power, which jumps there (ToCo), or cosine (PUF)"
    )
    power: float = Field(0.9, gt=0, le=bounds.POWER, description="power of schedule poly (ToCo)")


def adamw(net: nn.Module, o: AdamW) -> torch.optim.AdamW:
    """AdamW of what is trained, `net.encoder` in groups of its own."""
    trained = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    groups = []
    for body in (True, False):
        for decays in (True, False):
            chosen = [p for n, p in trained if n.startswith("encoder.") == body and _decays(n, p, o.decay) == decays]
            rate, decay = o.lr * (1 if body else o.head_factor), o.weight_decay if decays else 0.0
            groups += [{"params": chosen, "lr": rate, "weight_decay": decay}] if chosen else []
    return torch.optim.AdamW(groups, lr=o.lr, betas=o.betas, fused=True)


def factor(o: AdamW, total: int) -> Callable[[int], float]:
    """Iteration k of `total`, from 0, to the factor on every group's rate."""
    if o.schedule == "cosine":
        return Warmed(lambda k: warmup_cosine(k, total, o.warm_up, o.warm_up_ratio), o.warm_up)
    return Warmed(lambda k: warmup_poly(k, total, o.warm_up, o.warm_up_ratio, o.power), o.warm_up)


def _decays(name: str, parameter: nn.Parameter, what: str) -> bool:
    spared = parameter.dim() <= 1 or name.endswith(".bias") or name.rpartition(".")[2] in TOKENS
    return what == "all" or not spared
