"""Ranks: torchrun under the hood of --gpus, --procs and --nodes; the variables that torchrun or SLURM has set."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from wsss_cli import console
from wsss_cli.errors import WsssError
from wsss_cli.ranks.cores import cores

MEET_SECONDS = 900  # how long the machines wait for each other at the start
LAUNCHER = "WSSS_LAUNCHER"  # in the environment of ranks, and of a benchmark's runs: the process that started them
SAVE_SECONDS = 600  # after Ctrl-C or SIGTERM: time for an iteration and its checkpoint before ranks are killed
LEAVE_SECONDS = 10  # how long a machine whose ranks are done waits for the others, deaf to Ctrl-C: all is made by then


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
        """Whether new processes are needed: not for one rank, not inside torchrun, not in a SLURM step of many tasks.

        --nodes is the user's own word: in a SLURM step it starts this machine's ranks below its one task.
        """
        if in_launched_process():
            return False
        return self.nodes > 1 or (self.ranks > 1 and slurm_tasks() < 2)


def in_launched_process(env: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun started this process as one rank of many."""
    return "RANK" in env and "WORLD_SIZE" in env


def slurm_tasks(env: Mapping[str, str] = os.environ) -> int:
    """The tasks of the srun step that this process is one of; 0 outside, as in an sbatch script's own shell."""
    return int(env.get("SLURM_STEP_NUM_TASKS", "0")) if "SLURM_PROCID" in env else 0


def world(launch: Launch, env: Mapping[str, str] = os.environ) -> int:
    """How many ranks the command runs as, or will once it has started them."""
    if in_launched_process(env):
        return int(env["WORLD_SIZE"])
    return launch.ranks * launch.nodes if launch.wanted else max(1, slurm_tasks(env))


def adopt_slurm(env: Mapping[str, str]) -> dict[str, str]:
    """The torchrun variables that a SLURM task's own ones stand for; empty outside srun or for a single task."""
    if in_launched_process(env) or slurm_tasks(env) < 2:
        return {}
    return {
        "RANK": env["SLURM_PROCID"],
        "WORLD_SIZE": env["SLURM_STEP_NUM_TASKS"],
        "LOCAL_RANK": env.get("SLURM_LOCALID", "0"),
        "LOCAL_WORLD_SIZE": env.get("SLURM_STEP_TASKS_PER_NODE", "1").partition("(")[0].partition(",")[0],
        "MASTER_ADDR": env.get("MASTER_ADDR") or first_host(env.get("SLURM_STEP_NODELIST", "")),
        "MASTER_PORT": env.get("MASTER_PORT") or str(20000 + int(env.get("SLURM_JOB_ID", "0")) % 20000),
    }


def first_host(nodes: str) -> str:
    """The first host of a SLURM list: "gpu[03-05,9],login" -> "gpu03". Raises WsssError if there is none."""
    match = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)  # up to the first comma outside brackets
    if match is None:
        raise WsssError(f"SLURM_STEP_NODELIST={nodes!r} names no host", "set MASTER_ADDR")
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", match[0])


def check(launch: Launch) -> None:
    """Raises WsssError if this machine or the options cannot do what was asked."""
    if launch.gpus and launch.procs:
        raise WsssError("--gpus and --procs exclude each other", "--gpus N for GPUs, --procs N for CPU processes")
    if launch.nodes > 1 and not re.fullmatch(r".+:\d+", launch.rendezvous):
        raise WsssError("--nodes needs --rendezvous HOST:PORT", "give the first machine's address on every machine")
    if not 0 <= launch.node_rank < launch.nodes:
        raise WsssError(f"--node-rank {launch.node_rank} is not in 0..{launch.nodes - 1}", "number the machines from 0")
    if launch.gpus:
        import torch

        found = torch.cuda.device_count()
        if found == 0:
            raise WsssError(
                f"--gpus {launch.gpus}: this machine has no GPU that torch can use",
                f"use --procs {launch.gpus} for CPU processes, or leave it out for one",
            )
        if found < launch.gpus:
            raise WsssError(f"--gpus {launch.gpus}: this machine has {found}", f"use --gpus {found}")


def start(launch: Launch, argv: list[str]) -> int:
    """Run `wsss ARGV` once per rank under torchrun's elastic agent; returns the exit code.

    The agent gives each rank a session of its own, so that a Ctrl-C reaches it once, through the agent.
    Raises WsssError if the machines do not find each other.
    """
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(SAVE_SECONDS))
    os.environ[LAUNCHER] = str(os.getpid())
    if "OMP_NUM_THREADS" not in os.environ:  # ranks share the cores; more threads than cores is far slower
        os.environ["OMP_NUM_THREADS"] = str(max(1, cores() // launch.ranks))
    import torch.distributed as dist
    from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous.api import RendezvousError
    from torch.distributed.launcher import api

    for name in [n for n in logging.root.manager.loggerDict if n.startswith("torch.distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a rank's own message says what went wrong
    meet = launch.rendezvous or f"127.0.0.1:{_free_port()}"
    scratch = tempfile.TemporaryDirectory(prefix="wsss-ranks-")
    if launch.nodes > 1:
        console.say(f"machine {launch.node_rank} of {launch.nodes} waits for the others at {meet}")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # torch's waiting calls no handler; the agent then sets its own
    # no field of LaunchConfig: where a rank fails at its very end, its agent does not come, and the others wait 300 s
    agent = partial(LocalElasticAgent, exit_barrier_timeout=LEAVE_SECONDS)
    api.LocalElasticAgent = agent  # type: ignore[attr-defined, assignment]
    config = api.LaunchConfig(
        min_nodes=launch.nodes,
        max_nodes=launch.nodes,
        nproc_per_node=launch.ranks,
        run_id="wsss",
        rdzv_backend="static",
        rdzv_endpoint=meet,
        rdzv_configs={"rank": launch.node_rank, "timeout": MEET_SECONDS},
        max_restarts=0,
        monitor_interval=0.1,
        logs_specs=DefaultLogsSpecs(log_dir=scratch.name),
    )
    try:
        api.elastic_launch(config, sys.executable)("-m", "wsss_cli", *argv)
    except ChildFailedError as error:
        return _exit_code(error.failures)
    except SignalException as error:
        return 128 + int(error.sigval)
    except (RendezvousError, dist.DistError) as error:
        raise WsssError(
            f"the {launch.nodes} machines did not meet at {meet}: {str(error).splitlines()[0][:200]}",
            "the port must be free on machine 0 and open to the others; start all within "
            f"{MEET_SECONDS // 60} minutes, with --node-rank 0 on HOST",
        ) from error
    finally:
        scratch.cleanup()
    return 0


def follow_launcher(env: Mapping[str, str] = os.environ, every: float = 0.5) -> None:
    """In a command that another one started: save and leave, as on SIGTERM, once it is gone, killed without a word."""
    launcher = int(env.get(LAUNCHER, "0"))
    if launcher:
        threading.Thread(target=_end_with, args=(launcher, every), daemon=True).start()


def _end_with(launcher: int, every: float) -> None:
    while os.getppid() == launcher:
        time.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SAVE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def _exit_code(failures: Mapping[int, Any]) -> int:
    """2 if a rank says that the user can act; a rank that was killed could say nothing, so it is said here."""
    ended = (-signal.SIGTERM, 128 + signal.SIGTERM)  # by the agent, once another one failed: at once, or after saving
    codes = {rank: f.exitcode for rank, f in failures.items() if f.exitcode not in ended}
    for rank, code in codes.items():
        if code < 0:
            name = signal.Signals(-code).name
            why = " (most often for want of memory)" if name == "SIGKILL" else ""
            console.log.error("rank %s was ended by %s%s", rank, name, why)
    return 2 if 2 in codes.values() else max((c if c > 0 else 128 - c for c in codes.values()), default=143)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
