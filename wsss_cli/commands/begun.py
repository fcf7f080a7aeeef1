"""Commands that score, predict or export never begin a run by themselves: a slip of the pen would train for hours."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_cli.errors import WsssError
from wsss_cli.nested import nested
from wsss_cli.places import has_checkpoint
from wsss_cli.plan import Step
from wsss_cli.runs import Run, nearest_run

MADE = {"train": "was never trained", "seeds": "has no seeds yet", "pseudo": "has no pseudo-labels yet"}


def require_begun(run: Run, steps: Sequence[Step]) -> None:
    """Raises WsssError, with the nearest run that has it, if what the steps lead to was never begun in this run.

    That is the last stage among them that learns, or else the first one.  What was begun goes on, and what became stale
    is made again; a network that is given as `checkpoint` needs no training.
    """
    last = next(step for step in reversed(steps) if _learns(step) or not step.inputs)
    if last.status != "missing" or has_checkpoint(last.config):
        return
    stage = last.stage.name
    raise WsssError(
        f"run {run.method}/{run.name} on data set '{run.data}' {MADE[stage]}{nearest_run(run, stage)}",
        f"`wsss {stage} {run.method} --data {run.data} --name {run.name}` begins it; or add --train to this command",
    )


def _learns(step: Step) -> bool:
    return step.stage.name == "train" or any("loop" in type(config).model_fields for _, config in nested(step.config))
