"""torchrun under the hood: --gpus, --procs and --nodes start the same command once per rank."""

from __future__ import annotations

import logging
import os
import socket
import sys
from dataclasses import dataclass

from wsss_cli.errors import WsssError


@dataclass(frozen=True)
class Launch:
    """What the user asked for.

    gpus, procs  ranks on this machine, one per GPU, or CPU processes that talk through gloo
    nodes        machines; each runs the same command with its own node_rank
    rendezvous   HOST:PORT of the first machine, needed if nodes > 1
    """

    gpus: int = 0
    procs: int = 0
    nodes: int = 1
    node_rank: int = 0
    rendezvous: str = ""

    @property
    def ranks(self) -> int:
        return max(self.gpus, self.procs, 1)

    @property
    def wanted(self) -> bool:
        """Whether new processes are needed: not for one rank, and not inside torchrun or SLURM."""
        started = "RANK" in os.environ or int(os.environ.get("SLURM_NTASKS", "1")) > 1
        return (self.ranks > 1 or self.nodes > 1) and not started


def check(launch: Launch) -> None:
    """Raises WsssError if this machine or the options cannot do what was asked."""
    if launch.gpus and launch.procs:
        raise WsssError("--gpus and --procs exclude each other", "--gpus N for GPUs, --procs N for CPU processes")
    if launch.nodes > 1 and ":" not in launch.rendezvous:
        raise WsssError("--nodes needs --rendezvous HOST:PORT", "give the first machine's address on every machine")
    if not 0 <= launch.node_rank < launch.nodes:
        raise WsssError(f"--node-rank {launch.node_rank} is not in 0..{launch.nodes - 1}", "number the machines from 0")
    if launch.gpus:
        import torch

        found = torch.cuda.device_count()
        if found == 0:
            raise WsssError(f"--gpus {launch.gpus}: this machine has no GPU that torch can use", _procs(launch))
        if found < launch.gpus:
            raise WsssError(f"--gpus {launch.gpus}: this machine has {found}", f"use --gpus {found}")


def start(launch: Launch, argv: list[str]) -> int:
    """Run `wsss ARGV` once per rank under torchrun's elastic agent; returns the exit code."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in ("torch.distributed.elastic", "torch.distributed.run", "torch.distributed.launcher"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a rank's own message says what went wrong
    if "OMP_NUM_THREADS" not in os.environ:  # ranks share the cores; more threads than cores is far slower
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // launch.ranks))
    config = LaunchConfig(
        min_nodes=launch.nodes,
        max_nodes=launch.nodes,
        nproc_per_node=launch.ranks,
        run_id="wsss",
        rdzv_backend="static",
        rdzv_endpoint=launch.rendezvous or f"127.0.0.1:{_free_port()}",
        rdzv_configs={"rank": launch.node_rank, "timeout": 900},
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "wsss_cli", *argv)
    except ChildFailedError as error:
        codes = {failure.exitcode for failure in error.failures.values()}
        return 2 if 2 in codes else max((c for c in codes if c > 0), default=1)
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def _procs(launch: Launch) -> str:
    return f"use --procs {launch.gpus} for CPU processes, or leave it out for one"


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
