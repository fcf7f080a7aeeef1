"""Ranks, devices and the few collectives that the toolkit needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from wsss_cli.errors import WsssError

T = TypeVar("T")


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


def in_launched_process(env: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun (or SLURM's srun with several tasks) started this process as one rank of many."""
    return "RANK" in env and "WORLD_SIZE" in env


def adopt_slurm(env: dict[str, str]) -> dict[str, str]:
    """The torchrun variables that a SLURM task's own ones stand for; empty outside srun or for a single task."""
    if "RANK" in env or "SLURM_PROCID" not in env or int(env.get("SLURM_NTASKS", "1")) < 2:
        return {}
    return {
        "RANK": env["SLURM_PROCID"],
        "WORLD_SIZE": env["SLURM_NTASKS"],
        "LOCAL_RANK": env.get("SLURM_LOCALID", "0"),
        "MASTER_ADDR": env.get("MASTER_ADDR") or first_host(env["SLURM_STEP_NODELIST"]),
        "MASTER_PORT": env.get("MASTER_PORT") or str(20000 + int(env.get("SLURM_JOB_ID", "0")) % 20000),
    }


def first_host(nodes: str) -> str:
    """The first host of a SLURM list: "gpu[03-05,9],login" -> "gpu03"."""
    match = re.match(r"([^,\[]+)(?:\[(\w+))?", nodes)
    if match is None:
        raise WsssError(f"SLURM_STEP_NODELIST={nodes!r} names no host", "set MASTER_ADDR")
    return match[1] + (match[2] or "")


@contextmanager
def process_group(device: str, workers: int | None, trust: bool) -> Iterator[Runtime]:
    """Join the ranks that the environment describes, or run alone; leave at the end."""
    os.environ.update(adopt_slurm(dict(os.environ)))
    chosen = choose_device(device)
    if not in_launched_process():
        yield Runtime(chosen, workers=default_workers(workers, 1, chosen), trust=trust)
        return
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo", rank=rank, world_size=world)
    try:
        local = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        yield Runtime(chosen, rank, world, default_workers(workers, local, chosen), trust)
    finally:
        dist.destroy_process_group()


def choose_device(name: str) -> torch.device:
    """ "auto" takes a GPU if there is one. Raises WsssError if the named device is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise WsssError(f"--device {name}: no GPU is visible to torch {torch.__version__}", "use --device cpu")
    return torch.device(name)


def default_workers(asked: int | None, ranks: int, device: torch.device) -> int:
    """The machine's cores shared among the ranks; on CPU, where training itself uses them, one core is left to it."""
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    each = cores // ranks
    return min(8, each) if device.type == "cuda" else min(8, max(0, each - 1))


def barrier() -> None:
    if dist.is_initialized():
        dist.barrier()


def broadcast(value: T) -> T:
    """Rank 0's picklable value, on every rank."""
    if not dist.is_initialized():
        return value
    box: list[Any] = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


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


def any_rank(flag: bool, runtime: Runtime) -> bool:
    """Whether the flag is set on any rank."""
    if runtime.world == 1:
        return flag
    return bool(sum_over_ranks(torch.tensor(float(flag), device=runtime.device)) > 0)
