"""The classifier that the seeds came from, asked again of every image in which a network segments."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field
from torch import nn

from wsss_cli.classifier.stages import trained_classifier
from wsss_cli.context import Context
from wsss_cli.engine import infer
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.nets.gate import Gated
from wsss_cli.work import Work, areas, passes


class Infer(infer.Infer):
    """How a network is applied whose method has begun with that classifier."""

    gate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="predict no class that the classifier of stage seeds finds less probable in what is seen (0.1: "
        "Araslanov & Roth 2020); null: all, as released",
    )

    def unneeded(self) -> tuple[str, ...]:
        return ("seeds",) if self.gate is None else ()

    def work(self, context: Context) -> Iterator[Work]:
        yield from super().work(context)
        if self.gate is not None:
            samples = self.images(context)
            looks, net = len(samples) * areas(self.scales, self.flip), context.configs["seeds"].net
            yield passes("ask classifier", looks, net, context.data.num_classes, self.seen_size(samples))


def with_gate(net: nn.Module, job: Job[Infer], method: str) -> nn.Module:
    """The network, which predicts no class that the classifier does not see, if the settings ask for it.

    method  whose classifier the stage `seeds` has left
    Raises WsssError where there is no such stage: an exported network is one file.
    """
    gate = job.config.gate
    if gate is None:
        return net
    if "seeds" not in job.inputs:
        what = "infer.gate asks the classifier of stage seeds, which an exported network does not hold"
        raise WsssError(what, "use the run itself, or leave the gate out: infer.gate=null")
    return Gated(net, trained_classifier(job, job.inputs["seeds"], method), gate)
