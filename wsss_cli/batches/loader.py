"""Training batches that depend only on (seed, epoch, index): whatever the ranks, workers and points of resumption."""

from __future__ import annotations

import hashlib
import multiprocessing
import multiprocessing.process
import random
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from wsss_cli.errors import Hindrance, WsssError

START = "fork" if sys.platform == "linux" else "spawn"  # Python 3.14's own way on Linux would import torch per reader
DIED = re.compile(r"DataLoader worker \(pid\(?s?\)? [\d, ]+\) (?:is (killed by signal: [\w ]+)|exited unexpectedly)")
SHARED = re.compile(r"</torch_\w+>.*?: ([^:\n]+) \(\d+\)|Bus error")
"""What torch says of a file of its own in /dev/shm that it cannot make, and how who writes to one without room ends."""
PATIENCE = 5.0  # seconds; who reads from a disk that hangs dies when it answers


class TrainingData(Protocol):
    """What a method gives the loop: `item(index, rng)` makes one sample, all its random draws from `rng`.

    It goes to reader processes, but for forks of Linux by pickle: no lambdas and no functions within functions in it.
    """

    def __len__(self) -> int: ...

    def item(self, index: int, rng: random.Random) -> Any: ...


def sample_rng(seed: int, epoch: int, index: int) -> random.Random:
    """The generator of one sample in one epoch: the same whichever rank or worker reads it."""
    digest = hashlib.blake2b(f"{seed}/{epoch}/{index}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "little"))


def torch_rng(rng: random.Random) -> torch.Generator:
    """A torch generator seeded from a Python one."""
    return torch.Generator().manual_seed(rng.getrandbits(63))


def epoch_order(n: int, seed: int, epoch: int) -> list[int]:
    """The permutation of an epoch."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed * 100_003 + epoch)).tolist()


class _Batches(Sampler[list[tuple[int, int]]]):
    """(epoch, index) lists of this rank, for iterations start..total-1, each of `parts` lists one after the other.

    The lists of an iteration, of all ranks together, are the batch that one process would draw; each epoch drops its
    incomplete batch.
    """

    def __init__(
        self, n: int, batch: int, *, parts: int, rank: int, world: int, seed: int, start: int, total: int
    ) -> None:
        self.n, self.batch, self.parts, self.rank, self.world = n, batch, parts, rank, world
        self.seed, self.start, self.total = seed, start, total

    def __len__(self) -> int:
        return (self.total - self.start) * self.parts

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        per_epoch = batches_per_epoch(self.n, self.batch * self.world * self.parts)
        order: list[int] = []
        drawn = -1
        for k in range(self.start, self.total):
            epoch, i = divmod(k, per_epoch)
            if epoch != drawn:
                order, drawn = epoch_order(self.n, self.seed, epoch), epoch
            for part in range(self.parts):
                first = ((i * self.parts + part) * self.world + self.rank) * self.batch
                yield [(epoch, index) for index in order[first : first + self.batch]]


class _Seeded(Dataset[Any]):
    """Reads (epoch, index) keys."""

    def __init__(self, data: TrainingData, seed: int) -> None:
        self.data, self.seed = data, seed

    def __getitem__(self, key: tuple[int, int]) -> Any:
        epoch, index = key
        return self.data.item(index, sample_rng(self.seed, epoch, index))


def batches_per_epoch(n: int, batch: int, where: str = "loop") -> int:
    """Whole batches (over all ranks and parts) in an epoch. Raises WsssError if there is not one."""
    if n < batch:
        raise WsssError(f"the batch of {batch} is larger than the {n} training images", f"set a smaller {where}.batch")
    return n // batch


def training_loader(
    data: TrainingData,
    batch: int,
    *,
    rank: int,
    world: int,
    seed: int,
    start: int,
    total: int,
    workers: int,
    parts: int = 1,
    pin: bool = False,
    collate: Callable[[list[Any]], Any] | None = None,
) -> DataLoader[Any]:
    """The batches of iterations start..total-1 of this rank: `parts` per iteration, of `batch` samples each."""
    sampler = _Batches(len(data), batch, parts=parts, rank=rank, world=world, seed=seed, start=start, total=total)
    return DataLoader(
        _Seeded(data, seed),
        batch_sampler=sampler,
        num_workers=workers,
        multiprocessing_context=START if workers else None,
        pin_memory=pin,
        collate_fn=collate,
        worker_init_fn=_outlive_signals,
        generator=torch.Generator(),  # its own: starting a loader must not draw from the training's
    )


@contextmanager
def readers_watched() -> Iterator[None]:
    """Around a training that reads by processes: whatever ends it ends them at once.

    torch raises, wherever the training is, when one of them dies, or cannot share what it has read.  Raises WsssError
    then.
    """
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException as error:
        _end(set(multiprocessing.active_children()) - before)  # they would outlive a SIGTERM
        if isinstance(error, RuntimeError) and (hindrance := _hindrance(str(error))):
            raise hindrance from error
        raise


def _hindrance(said: str) -> Hindrance | None:
    """What torch says of its readers, for the user; None if it is no word of them."""
    if shared := SHARED.search(said):
        what = f"reader processes cannot hand over their batches in /dev/shm: {shared[1] or 'no room is left there'}"
        return Hindrance(what, "give it more room (a container: --shm-size), or read without processes: --workers 0")
    if died := DIED.search(said):
        what = f"a reader process of the training {died[1] or 'ended'}, often for want of memory"
        return Hindrance(what, "run the command again, perhaps with fewer --workers: it goes on")
    return None


def _end(processes: Iterable[multiprocessing.process.BaseProcess]) -> None:
    """Kill and bury them while nobody is told of it.

    torch listens for deaths of its readers, and would raise wherever the program is by then: at its exit, too.
    """
    told = signal.signal(signal.SIGCHLD, signal.SIG_DFL) if _hears_of_deaths() else None
    for process in processes:
        process.kill()
    for process in processes:
        process.join(PATIENCE)
    if told is not None:
        signal.signal(signal.SIGCHLD, told)


def _hears_of_deaths() -> bool:
    """Not on Windows, which has no such signal, nor outside the main thread, where torch does not listen either."""
    return hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread()


def _outlive_signals(worker: int) -> None:
    """Ctrl-C and SIGTERM often reach workers too; they live on for the iteration that is still to be saved."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "alarm"):  # not on Windows, where SIGTERM ends a process whatever it wants
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(60))
