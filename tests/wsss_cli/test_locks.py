"""One writer at a time: the second command learns who the first is, and a killed holder holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.locks import locked

HOLD = """
import sys, time
from pathlib import Path
from wsss_cli.locks import locked
with locked(Path(sys.argv[1]), "is at work", "wait"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "lock"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def take(folder: Path) -> None:
    with locked(folder / "lock", "is at work", "wait"):
        pass


def test_the_second_command_is_told_who_holds_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=rf"another command \(process {holder.pid} on .*: wsss .*\) is at work"):
        take(tmp_path)


def test_a_killed_holder_holds_nothing(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    take(tmp_path)


def test_a_failure_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock", "is at work", "wait"):
        raise ZeroDivisionError
    take(tmp_path)
    assert not (tmp_path / "lock.holder").exists()


def test_a_file_system_without_locks_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.BaseFileLock.acquire", refuse)
    take(tmp_path)
