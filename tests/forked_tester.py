"""The tester of methods with forks of this process in place of fresh ones, which import torch for seconds each."""

import os
import signal
from pathlib import Path
from typing import Any

from processes import Forked, Result, Wsss, import_once
from wsss_cli.testing import MethodTester

import_once()


class ForkedTester(MethodTester):
    @classmethod
    def wsss(cls, folder: Path, *words: object) -> str:
        return ok(cls.run_of(folder)(*words, seconds=300))

    @classmethod
    def start(cls, folder: Path, *words: str) -> Any:
        return Started(cls.run_of(folder).start(*words))

    @classmethod
    def on_two(cls, folder: Path, *words: str) -> str:
        return "".join([ok(result) for result in cls.run_of(folder).ranks(2, *words)])

    @classmethod
    def failing(cls, folder: Path, *words: object) -> str:
        """What is said to a user's mistake."""
        failed = cls.run_of(folder)(*words, seconds=120)
        assert failed.code == 2 and "Traceback" not in failed.text, failed.text
        return failed.text

    @classmethod
    def run_of(cls, folder: Path) -> Wsss:
        return Wsss(folder, (), dict(cls.env))


class Started:
    """A fork as `subprocess.Popen` would be."""

    def __init__(self, process: Forked) -> None:
        self.process = process

    def poll(self) -> int | None:
        """None while it runs."""
        over = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return None if over is None else over.si_status

    def kill(self) -> None:
        self.process.send(signal.SIGKILL)

    def wait(self) -> int:
        return self.process.wait().code


def ok(result: Result) -> str:
    assert result.code == 0, result.text
    return result.text
