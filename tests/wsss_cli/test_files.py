"""Files are there whole or not at all."""

import errno
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.files import append_text, keep_if_made_from, sweep, write_bytes, write_text, writing


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
        (errno.EROFS, "not allowed to write"),
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


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a/b.txt", tmp_path / "a/b/c.txt"):
        with pytest.raises(WsssError, match="is no folder"):
            write_text(path, "x")


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
