"""What a stage function is given: the data, its config, its folder, and the folders of the stages it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import torch
from torch import nn
from typing_extensions import TypeVar

from wsss_cli import console
from wsss_cli.config import StageConfig
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.method import Method
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.parallel.unordered import map_unordered
from wsss_cli.promises import Promises, absent, promised_ids
from wsss_cli.ranks.distributed import Runtime, barrier, shard
from wsss_cli.ranks.memory import affordable

THREADS = 2  # beside a GPU: as many images' scores and lattices are held there at once, and as many wait

N = TypeVar("N", bound=nn.Module)
C = TypeVar("C", bound=StageConfig, covariant=True, default=Any)  # a bare Job: whatever the stage's settings are


@dataclass(frozen=True)
class Job(Generic[C]):
    """One stage about to run on this rank.

    config  the stage's config, of the class that its Stage names
    folder  where the stage writes; artefacts that are already there are from an interrupted attempt with the same
            config and may be kept
    inputs  the finished stages it needs: name -> folder
    promised  the files that each of those promised, which are there
    """

    data: Prepared
    method: Method
    stage: str
    config: C
    folder: Path
    inputs: dict[str, Path]
    runtime: Runtime
    promised: Mapping[str, Promises] = field(default_factory=dict)

    def say(self, text: str) -> None:
        if self.runtime.main:
            console.say(text)

    def track(self, title: str, total: int, unit: str = "images") -> AbstractContextManager[console.Tick]:
        """Progress of a long step, shown by rank 0."""
        return console.track(title, total, unit, show=self.runtime.main)

    def todo(self, samples: Sequence[Sample], output: Callable[[Sample], Path | Sequence[Path]]) -> list[Sample]:
        """This rank's samples of which an output is not there yet: how a per-image stage resumes."""
        mine = shard(samples, self.runtime)
        paths = {s.id: output(s) for s in mine}
        missing = _missing({id: [found] if isinstance(found, Path) else found for id, found in paths.items()})
        return [s for s in mine if s.id in missing]

    def tagged(self, asked: str | None) -> list[Sample]:
        """The samples of the training split, or of the one asked for, that have tags."""
        return self.data.tagged(asked)

    def promised_samples(self, stage: str, folder: str) -> list[Sample]:
        """The samples of which a stage that this one needs left a file in that folder."""
        made = promised_ids(self.promised[stage], folder)
        return [s for s in self.data.samples if s.id in made]

    def say_left_out(self, samples: Sequence[Sample], asked: str | None) -> None:
        """Tell the user, once, if the samples `tagged` are not all of the split."""
        split = self.data.split_for("train", asked)
        all_ = len(self.data.split(split))
        if len(samples) < all_:
            left_out = f"{all_ - len(samples)} of {all_} images of split '{split}' have no tag and are left out"
            self.say(f"{left_out}: there is nothing to learn from them")

    def ready(self, net: N) -> N:
        """The network on this rank's device, in eval mode, in the memory format that convolutions are fastest in."""
        return net.to(self.runtime.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def each(
        self,
        title: str,
        function: Callable[..., object],
        tasks: Iterable[tuple[Any, ...]],
        total: int,
        on_device: bool = False,
        need: int = 0,
        light: bool = False,
    ) -> None:
        """function(*task) for each of `total` tasks, one long step to the user; then wait for every rank.

        In processes, one more than the workers, as this one only waits; in this one if no workers are wanted; fewer
        where the memory does not hold so many tasks of up to `need` bytes each.  The function must be importable by
        name.
        On a few threads of this process where the function works `on_device` and that is a GPU, or where it is `light`
        and does little but write: what is read and written there waits for no task that is drawn or computed meanwhile.
        """
        threads = light or (on_device and self.runtime.device.type == "cuda")
        done: Iterable[object]
        if threads:
            done = ParallelMap(lambda task: function(*task), tasks, THREADS, ahead=THREADS)
        else:
            done = map_unordered(function, tasks, self._processes(need))
        with self.track(title, total) as tick:
            for _ in done:
                tick(1)
        self.barrier()

    def _processes(self, need: int) -> int:
        """How many processes for work of which each task needs up to `need` bytes; 0: none but this one."""
        if not self.runtime.workers:
            return 0
        wanted = self.runtime.workers + 1
        found = affordable(wanted, need, self.runtime.world)
        if found < wanted:
            self.say(f"{found} processes in place of {wanted}: each may need {need >> 20:,} MiB of memory")
        return found

    def barrier(self) -> None:
        """Wait for every rank."""
        barrier()


def _missing(outputs: Mapping[str, Sequence[Path]]) -> set[str]:
    """The keys one of whose paths is not there: each folder is listed once."""
    wanted: dict[Path, dict[str, str]] = defaultdict(dict)
    for key, paths in outputs.items():
        for path in paths:
            wanted[path.parent][path.name] = key
    return {names[gone] for folder, names in wanted.items() for gone in absent(folder, names)}
