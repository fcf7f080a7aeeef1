"""Processes for tests. A fork of this one, which has imported torch, is a fresh `wsss` in milliseconds, not seconds."""

import faulthandler
import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

IMPORTED_ONCE = (  # by `import_once`, not in every fork
    "rich.progress",
    "rich.table",
    "scipy.ndimage",
    "timm",
    "torch._dynamo",
    "torch.distributed.launcher.api",
    "wsss_cli.app",
    "wsss_cli.commands.run_checks",
    "wsss_cli.preparation.prepare",
    "wsss_cli.engine.infer",
    "wsss_cli.engine.loop",
    "wsss_cli.engine.segment",
    "wsss_cli.execute",
    "wsss_cli.export.labels",
    "wsss_cli.metrics.evaluate",
    "wsss_cli.nets.weights.pretrained",
)


def import_once(*more: str) -> None:
    """What most commands need, into this process, and more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in (*IMPORTED_ONCE, *more):
            importlib.import_module(module)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Forked:
    """`function()` in a fork of this process; a signal's end is a negative code, as in subprocess."""

    def __init__(self, function: Callable[[], Any], folder: Path, env: dict[str, str] | None = None) -> None:
        self.files = [Path(tempfile.mkstemp()[1]) for _ in range(2)]
        sys.stdout.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of threads; the child uses none of its parent's
            self.pid = os.fork()
        if self.pid == 0:
            _child(function, folder, env or {}, self.files)

    def send(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def send_group(self, signum: int) -> None:
        """To its reader processes as well, as a terminal's Ctrl-C and a batch system do."""
        os.killpg(self.pid, signum)

    def wait(self, seconds: float = 120) -> Result:
        return ended([self], seconds)[0]

    def poll(self) -> int | None:
        """Its code, or None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def end(self) -> None:
        """It and what it has started, each with its stack in what it says.

        Held first, so that none goes on once another is gone; then one by one, as stacks written at once are mixed up.
        """
        pids = (self.pid, *descendants(self.pid))
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGABRT)
                os.kill(pid, signal.SIGCONT)
            until(lambda pid=pid: not alive(pid))
        os.waitpid(self.pid, 0)

    def said(self) -> list[str]:
        """What it wrote to stdout and to stderr."""
        return [file.read_text(encoding="utf-8") for file in self.files]


def ended(processes: Sequence[Forked], seconds: float = 120) -> list[Result]:
    """Wait for all of them. If one hangs, it is said where, and what all have said."""
    until, codes = time.monotonic() + seconds, dict[int, int]()
    while len(codes) < len(processes):
        running = [process for process in processes if process.pid not in codes]
        if time.monotonic() > until:
            for process in running:
                process.end()
            texts = [f"{codes.get(p.pid, 'hung')}: {text}" for p in processes for text in p.said() if text]
            raise AssertionError(f"still running after {seconds} s:\n" + "\n".join(texts))
        codes |= {process.pid: code for process in running if (code := process.poll()) is not None}
        time.sleep(0.005)
    results = [Result(codes[process.pid], *process.said()) for process in processes]
    for file in (file for process in processes for file in process.files):
        file.unlink()
    return results


def children(pid: int) -> list[int]:
    """The processes that a process has started; none where there is no /proc."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [child for child in pids if alive(child) and _stat(child)[1:2] == [str(pid)]]


def descendants(pid: int) -> list[int]:
    return [further for child in children(pid) for further in (child, *descendants(child))]


def alive(pid: int) -> bool:
    """Whether it runs: not if it has ended and its parent has not asked how."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """Its state, its parent and more; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _child(function: Callable[[], Any], folder: Path, env: dict[str, str], files: list[Path]) -> None:
    code = 1
    try:
        os.setsid()
        for fd, file in enumerate(files, start=1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), fd)
        faulthandler.enable(2)
        sys.stdout, sys.stderr = (open(fd, "w", encoding="utf-8", closefd=False) for fd in (1, 2))  # noqa: SIM115
        os.chdir(folder)
        os.environ.update(env)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        warnings.resetwarnings()
        torch.set_num_threads(1)  # the parent's pool of threads is not here
        function()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass(frozen=True)
class Wsss:
    """The `wsss` command in a folder, with the plugins that are installed in `sites`."""

    folder: Path
    sites: tuple[Path, ...]
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: object, seconds: float = 120, **env: str) -> Result:
        return self.start(*words, **env).wait(seconds)

    def start(self, *words: object, **env: str) -> Forked:
        return Forked(lambda: self._main([str(w) for w in words]), self.folder, {**self.env, **self.paths(), **env})

    def ranks(self, n: int, *words: object, **env: str) -> list[Result]:
        """The command as torchrun or srun would start it: one process per rank, the environment saying which."""
        port = str(20000 + (os.getpid() * 7 + time.monotonic_ns() // 1000) % 20000)
        base = {"WORLD_SIZE": str(n), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **env}
        started = [self.start(*words, RANK=str(r), LOCAL_RANK=str(r), **base) for r in range(n)]
        return ended(started)

    def paths(self) -> dict[str, str]:
        """For the processes that the command itself starts: what this one can import, they can."""
        here = [str(Path(p or ".").absolute()) for p in sys.path]
        python = {"PYTHONPATH": os.pathsep.join([*map(str, self.sites), *here]), "PYTHONFAULTHANDLER": "1"}
        return python | {"OMP_NUM_THREADS": "1"}

    def _main(self, words: list[str]) -> None:
        from wsss_cli import plugins
        from wsss_cli.app import main
        from wsss_cli.console import console

        sys.path[:0] = map(str, self.sites)
        importlib.invalidate_caches()
        for function in (plugins.methods, plugins.datasets, plugins._scan, console):
            function.cache_clear()
        sys.argv = ["wsss", *words]
        main()


def until(condition: Callable[[], Any], seconds: float = 120) -> None:
    """Wait for it, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)
