"""A single-stage method's training step against the released order of work: same weights, same batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from bench.device import where
from bench.measure import alone, report
from bench.row import Row

ROUNDS = 2


def rows(module: str, method: str, phases: Iterable[str], network: str, device: torch.device) -> list[Row]:
    """Seconds and memory of both in each phase; `python -m module which phase` measures one in a process of its own."""
    found = []
    for phase in phases:
        ours, theirs = (alone(module, which, phase, device=device) for which in ("ours", "released"))
        note = f"{network}, {where(device)}; released order of work"
        found += [
            Row(f"{method} step, {phase}, {unit}", ours[unit], theirs[unit], theirs[unit] / ours[unit], note)
            for unit in ("seconds", "mb")
        ]
    return found


def measure(
    device: torch.device,
    which: str,
    optimizer: torch.optim.AdamW,
    losses: Callable[[], dict[str, Tensor]],
    after: Callable[[], object] = lambda: None,
) -> None:
    """Print what `rows` reads of `which`, "ours" or "released": forward, backward, AdamW and what comes after."""
    if which == "released":  # its AdamW goes from tensor to tensor
        groups = [{key: g[key] for key in ("params", "lr", "weight_decay")} for g in optimizer.param_groups]
        optimizer = torch.optim.AdamW(groups, foreach=False)

    def step() -> None:
        optimizer.zero_grad()
        sum(losses().values(), torch.zeros((), device=device)).backward()
        optimizer.step()
        after()

    report(step, ROUNDS, device)
