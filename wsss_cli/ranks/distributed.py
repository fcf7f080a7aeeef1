"""Ranks, devices and the few collectives that the toolkit needs."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from wsss_cli import console
from wsss_cli.errors import WsssError
from wsss_cli.ranks.cores import cores
from wsss_cli.ranks.launch import adopt_slurm, in_launched_process
from wsss_cli.ranks.memory import keep_freed_memory

T = TypeVar("T")

PATIENCE = timedelta(hours=3)
"""How long ranks wait for each other: some work is rank 0's alone."""


@dataclass(frozen=True)
class Runtime:
    """How the stage runs: nothing in it changes the results.

    workers  processes per rank for reading data and for per-image CPU work; 0 does it in the main process
    trust    unpickle checkpoints that hold code
    """

    device: torch.device
    rank: int = 0
    world: int = 1
    workers: int = 0
    trust: bool = False

    @property
    def main(self) -> bool:
        return self.rank == 0


@contextmanager
def process_group(device: str, workers: int | None, trust: bool) -> Iterator[Runtime]:
    """Join the ranks that the environment describes, or run alone; leave at the end.

    If ranks fail, the first one alone says why; the others, who may only have lost touch with it, leave with its code,
    silently but for one on each other machine.
    """
    os.environ.update(adopt_slurm(os.environ))
    chosen = choose_device(device)
    if chosen.type == "cpu":
        keep_freed_memory()
    if not in_launched_process():
        yield alone(device, workers, trust)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        torch.cuda.set_device(chosen)
    store, rank, world = _meet()
    from torch.distributed.nn import functional  # noqa: F401  # DDP's; imported later, defaults in it keep the group

    backend = "cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo"  # plain values always travel by gloo
    dist.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=PATIENCE)
    try:
        local = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        yield Runtime(chosen, rank, world, default_workers(workers, local, chosen), trust)
    except KeyboardInterrupt:
        _first_to_fail(store, rank, 130)
        raise
    except Exception as error:
        first, code = _first_to_fail(store, rank, 2 if isinstance(error, WsssError) else 1)
        _say(error, rank, first)
        raise SystemExit(code) from error
    finally:
        dist.destroy_process_group()
        _let_go(sys.exc_info()[1])


def _let_go(error: BaseException | None) -> None:
    """Free what holds the group that was left, such as a network that DDP has wrapped: its threads end with it.

    One that is still busy with its last message when Python ends would abort this rank after all is done.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
    gc.collect()


def alone(device: str, workers: int | None, trust: bool) -> Runtime:
    """The only rank.  Raises WsssError if the device is not there."""
    chosen = choose_device(device)
    return Runtime(chosen, workers=default_workers(workers, 1, chosen), trust=trust)


def _meet() -> tuple[Store, int, int]:
    """The store that all ranks share, this rank and their number. Raises WsssError if the others cannot be reached."""
    try:
        return next(rendezvous("env://"))
    except (ValueError, RuntimeError) as error:
        where = f"{os.environ.get('MASTER_ADDR', '')}:{os.environ.get('MASTER_PORT', '')}"
        raise WsssError(
            f"the ranks did not meet at {where}: {str(error).splitlines()[0][:200]}",
            "start all of them with torchrun, srun or --procs; to run alone, unset RANK and WORLD_SIZE",
        ) from error


def _first_to_fail(store: Store, rank: int, code: int) -> tuple[int, int]:
    """The rank that failed first, and its exit code; -1 if the store is gone: rank 0, where it was, has left before."""
    try:
        first, its = store.compare_set("wsss_failed", "", f"{rank} {code}").split()
    except RuntimeError:
        return -1, code
    return int(first), int(its)


def _say(error: Exception, rank: int, first: int) -> None:
    """Print the error now: once the ranks leave, the launcher may end this one at any moment."""
    if "WSSS_DEBUG" in os.environ or (first == rank and not _for_user(error)):
        traceback.print_exception(error)
    elif first == rank and isinstance(error, WsssError):
        console.log.error("%s%s", f"rank {rank}: " if rank else "", error)
    elif first == rank:
        console.log.error("rank %s lost touch with another rank; the messages around this say why", rank)
    else:
        _say_elsewhere(rank, first)


def _say_elsewhere(rank: int, first: int) -> None:
    """One line by the first rank of a machine if it was none of its own ranks that failed first, and said why."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    speaks = "GROUP_RANK" in os.environ and os.environ.get("LOCAL_RANK") == "0"  # srun shows every machine's lines
    if speaks and first >= 0 and first not in range(rank, rank + local):
        console.log.error("rank %s, on another machine, has failed: its messages say why", first)


def _for_user(error: Exception) -> bool:
    """Not a mistake in the code: a WsssError, or a collective that another rank did not live to join."""
    return isinstance(error, WsssError | dist.DistError) or "gloo/transport" in str(error)


def choose_device(name: str) -> torch.device:
    """ "auto" takes a GPU if there is one. Raises WsssError if the named device is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise WsssError(f"--device {name}: no GPU is visible to torch {torch.__version__}", "use --device cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise WsssError(f"--device {name}: torch knows no such device", "use auto, cpu or cuda") from error


def default_workers(asked: int | None, ranks: int, device: torch.device) -> int:
    """The machine's cores shared among the ranks; on CPU, where training itself uses them, one core is left to it."""
    if asked is not None:
        return asked
    each = cores() // ranks
    return min(8, each) if device.type == "cuda" else min(8, max(0, each - 1))


def barrier() -> None:
    """Wait for every rank (on the CPU, where a lost rank is noticed at once)."""
    if dist.is_initialized():
        dist.all_reduce(torch.zeros(1))


def broadcast(value: T) -> T:
    """Rank 0's picklable value, on every rank."""
    if not dist.is_initialized():
        return value
    box: list[Any] = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


@torch.no_grad()
def take_from_first(tensors: Iterable[Tensor]) -> None:
    """Give tensors, on every rank, rank 0's values."""
    for tensor in tensors if dist.is_initialized() else ():
        value = tensor.contiguous()
        dist.broadcast(value, src=0)
        tensor.copy_(value)


def agreed(make: Callable[[], T], runtime: Runtime) -> T:
    """What rank 0 makes, on every rank; if that raises a WsssError, rank 0 says it and every rank leaves."""
    if runtime.world == 1:
        return make()
    made: list[T] = []
    if runtime.main:
        try:
            made = [make()]
        except WsssError as error:
            _say(error, 0, first=0)
    made = broadcast(made)
    if not made:
        _say_elsewhere(runtime.rank, 0)
        raise SystemExit(2)
    return made[0]


def gather(value: T) -> list[T]:
    """Every rank's picklable value, in rank order, on every rank."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def sum_over_ranks(value: Tensor) -> Tensor:
    """The sum of a tensor without gradient over all ranks."""
    if dist.is_initialized():
        value = value.clone()
        dist.all_reduce(value)
    return value


def mean_over_ranks(count: Tensor) -> Tensor:
    """The mean over all ranks of a tensor without gradient.

    Of a loss's denominator: DDP averages gradients over ranks, so sum_r / mean_r(count) has the gradient of the
    whole batch's sum / count, whatever each rank's share of the count.
    """
    return sum_over_ranks(count) / dist.get_world_size() if dist.is_initialized() else count


def shard(items: Sequence[T], runtime: Runtime) -> list[T]:
    """This rank's share: every world-th item."""
    return list(items[runtime.rank :: runtime.world])


def any_ranks(flags: Sequence[bool], runtime: Runtime) -> list[bool]:
    """For each of several flags whether it is set on any rank; one message for all."""
    if runtime.world == 1:
        return list(flags)
    return (sum_over_ranks(torch.tensor(flags, dtype=torch.int32)) > 0).tolist()
