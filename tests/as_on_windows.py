"""`wsss` with what Windows lacks withheld from our own modules: python tests/as_on_windows.py FOLDER < lines of words.

Libraries keep what they need here; on Windows they have ways of their own.  Processes are started as there: no forks.
"""

from __future__ import annotations

import builtins
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
LACKING = {
    os: "fchmod fork getegid geteuid getgid getloadavg getpgid getuid killpg mkfifo nice O_DIRECTORY O_NOFOLLOW "
    "posix_fadvise posix_fallocate sched_getaffinity setpgid setsid statvfs sync sysconf uname waitid",
    signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pause pthread_sigmask sigwait",
    sys: "",
}
OTHERWISE: dict[ModuleType, dict[str, Any]] = {os: {"name": "nt"}, signal: {}, sys: {"platform": "win32"}}
OURS = ("wsss_",)


class Without(ModuleType):
    """A module as Windows has it."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__)
        self.__dict__.update({"_module": module, "_lacking": set(LACKING[module].split())} | OTHERWISE[module])

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_lacking"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows")
        return getattr(self.__dict__["_module"], name)


AS_THERE = {module.__name__: Without(module) for module in LACKING}
importing = builtins.__import__


def importing_there(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if str((globals or {}).get("__name__")).startswith(OURS):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        if name in AS_THERE:
            return AS_THERE[name]
    return importing(name, globals, locals, fromlist or (), level)


def run(words: list[str]) -> int:
    """One command; its exit code."""
    from wsss_cli.app import main

    sys.argv = ["wsss", *words]
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    builtins.__import__ = importing_there  # type: ignore[assignment]
    multiprocessing.set_start_method("spawn")
    os.chdir(sys.argv[1])
    for line in sys.stdin.read().splitlines():
        code = run(line.split())
        print(f"== {code} {line}", flush=True)
