"""Files are there whole or not at all."""

import errno
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processes import Forked
from wsss_cli import files
from wsss_cli.data.labels import write_labels
from wsss_cli.errors import WsssError
from wsss_cli.files import (
    append_text,
    is_lost,
    keep_if_made_from,
    put_in_place,
    require_makeable,
    restore,
    sweep,
    write_bytes,
    write_text,
    writing,
)


@pytest.mark.parametrize(
    ("place", "folder", "message"),
    [
        ("new/deep", True, ""),
        ("new/deep/page.html", False, ""),
        ("there", True, ""),
        ("file", False, ""),
        ("there/../other", True, ""),
        ("file", True, "is no folder"),
        ("file/below", True, "file is no folder"),
        ("file/below/page.html", False, "file is no folder"),
        ("there", False, "is a folder, not a file"),
        ("lost/below", True, "lost is no folder"),
        ("/", True, "is no folder"),
        ("/proc/new", True, "nothing can be written in /proc"),
        ("/proc/page.html", False, "nothing can be written in /proc"),
    ],
)
def test_where_results_can_be_written(
    tmp_path: Path, place: str, folder: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place.startswith("/proc") and sys.platform != "linux":
        pytest.skip("another system")
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    Path("file").touch()
    Path("lost").symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    if message:
        with pytest.raises(WsssError, match=rf"^--output {place}.*{message}.*\n  choose another .* with --output$"):
            require_makeable(Path(place), "--output", folder)
    else:
        require_makeable(Path(place), "--output", folder)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.ENOENT, errno.EIO])
def test_where_nothing_can_be_written(tmp_path: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root meets it nowhere but on another's disk."""

    def refused(**where: object) -> None:
        raise OSError(error, os.strerror(error), str(where["dir"]))

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    with pytest.raises(WsssError, match=f"nothing can be written in {tmp_path}: {os.strerror(error)}"):
        require_makeable(tmp_path / "a/b", "--output")


@pytest.mark.skipif(sys.platform != "linux", reason="a folder in which nothing can be made")
def test_what_the_system_says_of_a_place_is_one_line() -> None:
    for write in (lambda: write_text(Path("/proc/a/b"), ""), lambda: write_text(Path("/proc/a"), "")):
        with pytest.raises(WsssError, match=r"^/proc/a.* cannot be written: "):
            write()


def test_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/a.txt"
    write_text(path, "é")
    assert path.read_bytes() == "é".encode()
    write_bytes(path, b"2")
    append_text(path, "3")
    assert path.read_text() == "23" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), OSError(errno.EIO, "disk")])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "before")
    with pytest.raises(type(error)), writing(path) as aside:
        aside.write_text("half")
        raise error
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left while writing"),
        (errno.EDQUOT, "no space left while writing"),
        (errno.EACCES, "not allowed to write"),
        (errno.EROFS, "not allowed to write .*read-only"),
        (errno.EFBIG, "is larger than its file system, or a limit"),
    ],
)
def test_what_the_system_refuses_is_said(tmp_path: Path, number: int, message: str) -> None:
    with pytest.raises(WsssError, match=message) as error, writing(tmp_path / "a.txt") as aside:
        aside.write_text("half")
        raise OSError(number, "refused")
    assert str(tmp_path / "a.txt") in error.value.what and error.value.remedy and not list(tmp_path.iterdir())


def test_a_full_disk_in_earnest(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    with pytest.raises(WsssError, match="no space left"):
        append_text(tmp_path / "log", "x")


@pytest.mark.parametrize("write", [write_bytes, lambda path, data: append_text(path, data.decode())])
def test_a_file_that_grows_too_large_in_earnest(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with pytest.raises(WsssError, match=f"^{tmp_path}/a is larger than its file system"):
            write(tmp_path / "a", b"x" * 1000)

    done = Forked(limited, tmp_path).wait()
    assert done.code == 0, done.text


def test_what_a_link_leads_to_is_worked_in(tmp_path: Path) -> None:
    for name, text in (("big/.data.part", "new"), ("big/data", "old")):
        write_text(tmp_path / name / "a.txt", text)
    place = tmp_path / "data"
    place.symlink_to("big/data")
    assert files.followed(place) == tmp_path / "big/data" and files.followed(tmp_path / "big") == tmp_path / "big"
    put_in_place(tmp_path / "big/.data.part", place)
    assert place.is_symlink() and (place / "a.txt").read_text() == "new"
    assert [path.name for path in (tmp_path / "big").iterdir()] == ["data"]
    (tmp_path / "big/data").rename(files._old(place))
    assert is_lost(place)
    restore(place)
    assert (place / "a.txt").read_text() == "new"
    (tmp_path / "lost").symlink_to(tmp_path / "unmounted/data")
    with pytest.raises(WsssError, match=rf"^{tmp_path}/lost is a link to .*no folder .*/unmounted\n  mount its disk"):
        files.followed(tmp_path / "lost")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a/b.txt", tmp_path / "a/b/c.txt"):
        with pytest.raises(WsssError, match="is no folder"):
            write_text(path, "x")


def test_two_threads_write_one_file(tmp_path: Path) -> None:
    """The later one wins, and neither takes the other's half."""
    with ThreadPoolExecutor(1) as pool, writing(tmp_path / "latest") as mine:
        mine.write_text("one")
        pool.submit(write_text, tmp_path / "latest", "two").result()
        assert (tmp_path / "latest").read_text() == "two" and mine.read_text() == "one"
    assert (tmp_path / "latest").read_text() == "one" and len(list(tmp_path.iterdir())) == 1


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for name in (".a.png.12.part", "labels/.b.png.3.part", "labels/b.png", ".lock"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".lock", "b.png", "labels"]


def test_files_are_kept_if_made_from_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    keep_if_made_from(folder, "blue")
    write_text(folder / "a" / "1.txt", "1")
    keep_if_made_from(folder, "blue")
    assert (folder / "a" / "1.txt").exists()
    keep_if_made_from(folder, "red")
    assert [p.name for p in folder.iterdir()] == ["made_from.txt"]


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A finished folder and the place of an older one."""
    for name, text in ((".data.part", "new"), ("data", "old")):
        write_text(tmp_path / name / "a.txt", text)
    return tmp_path / ".data.part", tmp_path / "data"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_is_put_in_the_place_of_another(
    tmp_path: Path, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(files, "_exchanged", lambda a, b: False)
    folder, place = folders(tmp_path)
    put_in_place(folder, place)
    assert (place / "a.txt").read_text() == "new" and list(tmp_path.iterdir()) == [place]
    write_text(folder / "a.txt", "newer")
    put_in_place(folder, place, tmp_path / "former")
    assert (place / "a.txt").read_text() == "newer" and (tmp_path / "former/a.txt").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 2


def test_linux_exchanges_folders_in_one_step(tmp_path: Path) -> None:
    folder, place = folders(tmp_path)
    if sys.platform == "linux":
        assert files._exchanged(folder, place)
        assert (place / "a.txt").read_text() == "new" and (folder / "a.txt").read_text() == "old"


def test_a_failed_replacement_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_exchanged", lambda a, b: False)
    folder, place = folders(tmp_path)
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if self == folder:
            raise OSError(errno.EIO, "disk")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        put_in_place(folder, place)
    assert (place / "a.txt").read_text() == "old" and not is_lost(place)


@pytest.mark.parametrize("former", [None, "former"])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("step", range(5))
def test_a_kill_between_two_renames_leaves_the_old_or_the_new(
    tmp_path: Path, step: int, at_once: bool, former: str | None
) -> None:
    folder, place = folders(tmp_path)

    def replace_and_be_killed() -> None:
        steps = iter(range(100))

        def killed(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                if next(steps) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return call

        Path.replace = killed(Path.replace)  # type: ignore[method-assign]
        shutil.rmtree = killed(shutil.rmtree)  # type: ignore[assignment]
        if not at_once:
            files._exchanged = lambda a, b: False
        put_in_place(folder, place, former and place.with_name(former))

    code = Forked(replace_and_be_killed, tmp_path).wait().code
    assert code in (-signal.SIGKILL, 0)
    restore(place)
    assert (place / "a.txt").read_text() in ("old", "new") and (step or (place / "a.txt").read_text() == "old")
    assert code or (place / "a.txt").read_text() == "new"
    assert not files._old(place).exists()


def test_many_files_are_flushed_at_once_and_each_other_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(files, "_flush", lambda path: flushed.append(path.name))
    write_text(tmp_path / "a", "1")
    write_text(tmp_path / "b", "1", flushed=False)
    write_labels(tmp_path / "c.png", np.zeros((4, 4), np.uint8))
    assert [name.split(".")[1] for name in flushed] == ["a"]
    files.flush_all(tmp_path)
