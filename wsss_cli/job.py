"""What a stage function is given: the data, its config, its folder, and the folders of the stages it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from wsss_cli import console
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.method import Method
from wsss_cli.ranks.distributed import Runtime, barrier, shard

N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class Job:
    """One stage about to run on this rank.

    config  the stage's config, of the class that its Stage names
    folder  where the stage writes; artefacts that are already there are from an interrupted attempt with the same
            config and may be kept
    inputs  the finished stages it needs: name -> folder
    """

    data: Prepared
    method: Method
    stage: str
    config: Any
    folder: Path
    inputs: dict[str, Path]
    runtime: Runtime

    def say(self, text: str) -> None:
        if self.runtime.main:
            console.say(text)

    def track(self, title: str, total: int, unit: str = "images") -> AbstractContextManager[console.Tick]:
        """Progress of a long step, shown by rank 0."""
        return console.track(title, total, unit, show=self.runtime.main)

    def todo(self, samples: Sequence[Sample], output: Callable[[Sample], Path]) -> list[Sample]:
        """This rank's samples whose output is not there yet: how a per-image stage resumes."""
        return [s for s in shard(samples, self.runtime) if not output(s).exists()]

    def tagged(self, asked: str | None) -> list[Sample]:
        """The samples of the training split, or of the one asked for, that have tags."""
        return [s for s in self.data.split(self.data.split_for("train", asked)) if s.tags]

    def say_left_out(self, samples: Sequence[Sample], asked: str | None) -> None:
        """Tell the user, once, if the samples `tagged` are not all of the split."""
        if len(samples) < len(self.data.split(self.data.split_for("train", asked))):
            self.say("images without a tag are left out: there is nothing to learn from them")

    def ready(self, net: N) -> N:
        """The network on this rank's device, in eval mode, in the memory format that convolutions are fastest in."""
        return net.to(self.runtime.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    @property
    def processes(self) -> int:
        """For `map_unordered`: one more than the workers, as the main process only waits; none if none are wanted."""
        return self.runtime.workers and self.runtime.workers + 1

    def barrier(self) -> None:
        """Wait for every rank."""
        barrier()
