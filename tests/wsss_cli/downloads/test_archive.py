"""What is wanted of an archive is unpacked whole; one that is damaged or means harm is refused, nothing written."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from wsss_cli.downloads.archive import names, unpack
from wsss_cli.downloads.guard import Guard, Limits
from wsss_cli.downloads.members import members
from wsss_cli.errors import WsssError

FILES = {f"top/images/{n}.jpg": np.random.default_rng(n).bytes(700 + 300 * n) for n in range(4)}
FILES |= {"./top/lists/a.txt": b"0\n1\n", "top/unwanted/x.bin": bytes(3000)}
WANTED = {"images/0.jpg", "images/1.jpg", "images/2.jpg", "images/3.jpg", "lists/a.txt"}
KINDS = ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"]


def wanted(name: str) -> str | None:
    return None if "unwanted" in name else name.removeprefix("top/")


def build(path: Path, files: dict[str, bytes] = FILES) -> Path:
    """An archive of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
            for name, data in files.items():
                pack.writestr(name, data)
        return path
    return build_tar(path, *(plain(name, data) for name, data in files.items()))


def build_tar(path: Path, *made: tuple[tarfile.TarInfo, bytes]) -> Path:
    kind = path.suffix[1:]
    with tarfile.open(path, f"w:{'' if kind == 'tar' else kind}") as tar:  # type: ignore[call-overload]
        for info, data in made:
            tar.addfile(info, io.BytesIO(data))
    return path


def plain(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def special(name: str, type: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, target
    return info, b""


def assert_refused(archive: Path, says: str, limits: Limits | None = None) -> WsssError:
    """One line that names the archive, and nothing written anywhere."""
    before = sorted(archive.parent.parent.rglob("*"))
    with pytest.raises(WsssError, match=says) as caught:
        unpack([archive], archive.parent / "out", wanted, *([limits] if limits else []))
    assert str(archive) in caught.value.what and "\n" not in caught.value.what and caught.value.remedy
    assert sorted(archive.parent.parent.rglob("*")) == before
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders deep, so that what is written outside is seen."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wanted_comes_out(folder: Path, kind: str) -> None:
    archive = build(folder / f"a.{kind}")
    assert unpack([archive], folder / "out", wanted) == [5]
    found = {path.relative_to(folder / "out").as_posix(): path for path in (folder / "out").rglob("*.*")}
    assert found.keys() == WANTED
    for name, path in found.items():
        assert path.read_bytes() == (FILES.get(f"top/{name}") or FILES[f"./top/{name}"])
    assert sorted(p.name for p in folder.iterdir()) == [archive.name, "out"]
    assert set(names(archive)) == {name.removeprefix("./") for name in FILES}


def test_several_archives_into_one_folder(folder: Path) -> None:
    first, second = build(folder / "a.tar"), build(folder / "b.zip", {"top/more/x.txt": b"x"})
    assert unpack([first, second], folder / "out", wanted) == [5, 1]
    assert (folder / "out/more/x.txt").read_bytes() == b"x"


def test_rights_are_not_taken_over(folder: Path) -> None:
    info, data = plain("top/a.txt", b"x")
    info.mode = 0o4777
    unpack([build_tar(folder / "a.tar", (info, data))], folder / "out", wanted)
    assert stat.S_IMODE((folder / "out/a.txt").stat().st_mode) & 0o7111 == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../evil", r"'\.\./evil' has '\.\.' in its path"),
        ("top/../../evil", "has '..' in its path"),
        ("top/unwanted/../../../evil", "has '..' in its path"),
        ("..\\evil", "has '..' in its path"),
        ("/tmp/evil", "has an absolute path"),
        ("C:\\evil", "has an absolute path"),
    ],
)
def test_a_member_outside(folder: Path, kind: str, name: str, says: str) -> None:
    assert_refused(build(folder / f"a.{kind}", {**FILES, name: b"x"}), says)


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    ("type", "target", "says"),
    [
        (tarfile.SYMTYPE, "/etc", "is a link to '/etc', outside the folder"),
        (tarfile.SYMTYPE, "../../..", r"is a link to '\.\./\.\./\.\.', outside"),
        (tarfile.LNKTYPE, "../secret", "outside the folder"),
        (tarfile.LNKTYPE, "/etc/passwd", "outside the folder"),
        (tarfile.SYMTYPE, "0.jpg", "'top/images/link' is a link"),
        (tarfile.LNKTYPE, "top/images/0.jpg", "'top/images/link' is a link"),
        (tarfile.CHRTYPE, "", "is a device or something else"),
        (tarfile.BLKTYPE, "", "is a device or something else"),
        (tarfile.FIFOTYPE, "", "is a device or something else"),
    ],
)
def test_links_and_devices(folder: Path, kind: str, type: bytes, target: str, says: str) -> None:
    parts = [plain("top/images/0.jpg", b"x"), special("top/images/link", type, target)]
    assert_refused(build_tar(folder / f"a.{kind}", *parts), says)


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="Python 3.11.4 has it")
def test_tarfile_itself_is_asked_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "name", lambda self, name: name)
    archive = build_tar(folder / "a.tar", plain("../../x.jpg", b"x"))
    with pytest.raises(WsssError, match=r"a\.tar is refused: its member '\.\./\.\./x\.jpg' is unsafe: .*outside"):
        list(names(archive))


def test_writing_through_a_link(folder: Path) -> None:
    parts = [special("top/images", tarfile.SYMTYPE, str(folder.parent)), plain("top/images/evil", b"x")]
    assert_refused(build_tar(folder / "a.tar", *parts), "outside the folder")
    inside = [special("top/unwanted/images", tarfile.SYMTYPE, "../images"), plain("top/images/0.jpg", b"x")]
    assert unpack([build_tar(folder / "b.tar", *inside)], folder / "out", wanted) == [1]  # a link nobody wants


@pytest.mark.parametrize(
    ("mode", "data", "says"),
    [
        (stat.S_IFLNK, b"../../etc", "outside the folder"),
        (stat.S_IFLNK, b"x", "is a link"),
        (stat.S_IFIFO, b"", "is a device"),
        (stat.S_IFCHR, b"", "is a device"),
    ],
)
def test_links_and_devices_in_a_zip(folder: Path, mode: int, data: bytes, says: str) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as pack:
        info = zipfile.ZipInfo("top/link")
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16
        pack.writestr(info, data)
    assert_refused(folder / "a.zip", says)


@pytest.mark.parametrize("kind", KINDS)
def test_bombs(folder: Path, kind: str) -> None:
    archive = build(folder / f"a.{kind}")
    assert_refused(archive, "refused as a bomb: it unpacks to more than 5 files", Limits(members=5))
    assert_refused(archive, "unpacks to more than 2,000 bytes", Limits(total=2000))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_ratio_that_only_a_bomb_has(folder: Path, kind: str) -> None:
    archive = build(folder / f"a.{kind}", {"top/unwanted/zeros": bytes(3_000_000)})
    assert archive.stat().st_size < 10_000
    assert_refused(archive, r"more than 1,000,000 bytes, from \d", Limits(slack=1_000_000))
    assert unpack([archive], folder / "out", wanted, Limits(slack=4_000_000)) == [0]


def test_a_bomb_that_declares_nothing(folder: Path) -> None:
    """A header of 3 MB is no member: what the decompressor gives is counted."""
    info, data = plain("x" * 3_000_000, b"")
    archive = build_tar(folder / "a.tar.gz", (info, data))
    assert_refused(archive, "refused as a bomb", Limits(slack=1_000_000))


def test_a_sparse_bomb(folder: Path) -> None:
    with (folder / "hole").open("wb") as file:
        file.truncate(10**9)
    if os.system(f"cd {folder} && tar --sparse -cf a.tar hole 2>/dev/null"):
        pytest.skip("no GNU tar here")
    (folder / "hole").unlink()
    assert (folder / "a.tar").stat().st_size < 20_000
    assert_refused(folder / "a.tar", "refused as a bomb")


@pytest.mark.parametrize("kind", KINDS)
def test_cut_short(folder: Path, kind: str) -> None:
    whole = build(folder / f"whole.{kind}").read_bytes()
    end = len(whole.rstrip(b"\0")) if kind == "tar" else len(whole)  # behind it a tar is all zeros
    archive = folder / f"a.{kind}"
    for length in {0, 1, 100, *range(0, end, 512), *range(end - 30, end)}:
        archive.write_bytes(whole[:length])
        assert_refused(archive, "is damaged, cut short, or no tar or zip archive")


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_has_changed_in_the_headers(folder: Path, kind: str) -> None:
    archive = build(folder / f"a.{kind}")
    data = bytearray(archive.read_bytes())
    middle = data.index(b"top/images/2.jpg") if kind == "tar" else len(data) // 2
    data[middle] ^= 0xFF
    archive.write_bytes(data)
    assert_refused(archive, "is damaged, cut short")


def test_the_checksum_behind_the_last_member(folder: Path) -> None:
    data = bytearray(gzip.compress(build(folder / "whole.tar").read_bytes() + bytes(3 << 20)))
    (folder / "a.tar.gz").write_bytes(data)
    assert unpack([folder / "a.tar.gz"], folder / "good", wanted) == [5]
    data[-8] ^= 1
    (folder / "a.tar.gz").write_bytes(data)
    assert_refused(folder / "a.tar.gz", "is damaged, cut short.*CRC check failed")


def test_no_archive(folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"<html>404 not found</html>" * 100)
    assert_refused(folder / "a.zip", "is damaged, cut short, or no tar or zip archive")
    (folder / "a.zip").unlink()
    assert_refused(folder / "a.zip", "cannot be read: No such file")
    with pytest.raises(WsssError, match="cannot be read"):
        list(names(folder / "a.zip"))


def test_a_zip_with_a_password(folder: Path) -> None:
    data = bytearray(build(folder / "a.zip", {"top/a.txt": b"x"}).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (folder / "a.zip").write_bytes(data)
    assert_refused(folder / "a.zip", "password|encrypted")


def test_a_file_that_comes_twice(folder: Path) -> None:
    archive = build_tar(folder / "a.tar", plain("top/a", b"1"), plain("top/a", b"2"))
    assert_refused(archive, "'top/a' is there a second time")


def test_a_killed_run_is_cleared_away(folder: Path) -> None:
    (folder / ".out.part").mkdir()
    (folder / ".out.part" / "half").write_bytes(b"x")
    unpack([build(folder / "a.tar")], folder / "out", wanted)
    assert sorted(p.name for p in folder.iterdir()) == ["a.tar", "out"] and not (folder / "out/half").exists()


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_progress_counts_the_archive(folder: Path, kind: str) -> None:
    archive = build(folder / f"a.{kind}")
    steps: list[tuple[int, int]] = []
    list(members(archive, Limits(), lambda done, total: steps.append((done, total))))
    size = archive.stat().st_size
    assert steps[-1] == (size, size) and sorted(steps) == steps and len(steps) == 7
