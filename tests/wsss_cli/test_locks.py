"""One writer at a time: the second command learns who the first is, and a killed holder holds nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from wsss_cli.errors import WsssError
from wsss_cli.locks import locked, require_unshared, shared

HOLD = """
import sys, time
from pathlib import Path
from wsss_cli.locks import locked
with locked(Path(sys.argv[1]), "is at work", "wait"):
    print("held", flush=True)
    time.sleep(60)
"""


def process(code: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", code, folder / "lock"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    yield from process(HOLD, tmp_path)


def take(folder: Path) -> None:
    with locked(folder / "lock", "is at work", "wait"):
        pass


def test_the_second_command_is_told_who_holds_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(
        WsssError, match=rf"another command \(process {holder.pid} on .* since \d{{4}}-.*: wsss .*\) is at work"
    ):
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


SHARE = HOLD.replace("locked", "shared")


@pytest.fixture
def sharer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    yield from process(SHARE, tmp_path)


def join(folder: Path) -> None:
    with shared(folder / "lock", "is at work", "wait"):
        pass


def test_who_shares_a_lock_keeps_its_holder_away_but_not_others(sharer: subprocess.Popen[str], tmp_path: Path) -> None:
    join(tmp_path)
    told = pytest.raises(WsssError, match=rf"another command \(process {sharer.pid} on .*\) is reading")
    with locked(tmp_path / "lock", "is at work", "wait"), told:
        require_unshared(tmp_path / "lock", "is reading", "wait")


def test_a_killed_sharer_keeps_nobody_away(sharer: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(sharer.pid, signal.SIGKILL)
    sharer.wait()
    assert list(tmp_path.iterdir())
    with locked(tmp_path / "lock", "is at work", "wait"):
        require_unshared(tmp_path / "lock", "is reading", "wait")
    assert not list(tmp_path.iterdir())


def test_nobody_joins_while_it_is_held(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=rf"process {holder.pid} on .* since \d{{4}}-.*: wsss .*\) is at work"):
        join(tmp_path)


def test_a_lock_that_its_holder_has_removed_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened before its holder removed it and let go: a lock on a file that nobody else sees."""
    acquire, times = FileLock.acquire, []

    def late(self: FileLock) -> object:
        held = acquire(self)
        if not times:
            (tmp_path / "lock").unlink()
            (tmp_path / "other").touch()
            (tmp_path / "other").rename(tmp_path / "lock")
        times.append(1)
        return held

    monkeypatch.setattr(FileLock, "acquire", late)
    with locked(tmp_path / "lock", "is at work", "wait"):
        assert len(times) == 2
    assert not list(tmp_path.glob("lock*"))


def test_many_processes_take_turns(tmp_path: Path) -> None:
    """Three processes add to a number eight times each; without a lock of one file at a time numbers are lost."""
    (tmp_path / "n").write_text("0")
    add = """
import sys
from pathlib import Path
from wsss_cli.locks import locked
folder = Path(sys.argv[1])
for _ in range(8):
    with locked(folder / "lock", "is at work", "wait", wait=60):
        number = int((folder / "n").read_text())
        (folder / "n").write_text(str(number + 1))
"""
    started = [subprocess.Popen([sys.executable, "-c", add, tmp_path]) for _ in range(3)]
    assert [p.wait(60) for p in started] == [0] * 3
    assert (tmp_path / "n").read_text() == "24" and not list(tmp_path.glob("lock*"))
