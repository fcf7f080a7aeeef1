"""A download is whole and checked, goes on where it broke, or says how to do without it."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from range_server import Server, serving
from wsss_cli.downloads import download
from wsss_cli.downloads.download import CHUNK, Remote, digest_of, downloads, fetch
from wsss_cli.errors import WsssError

DATA = np.random.default_rng(0).bytes(5 * CHUNK + 1234)
DIGEST = f"md5:{hashlib.md5(DATA).hexdigest()}"
CUT = 2 * CHUNK  # where connections break: whole chunks, so that what was sent is what arrived


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server({"a.tar": DATA})) as running:
        yield running


def get(server: Server, folder: Path, digest: str = DIGEST, **urls: tuple[str, ...]) -> Path:
    remote = Remote("a.tar", urls.get("urls", (server.url("a.tar"),)), digest)
    return fetch(remote, folder, "pass it with --archive FILE", pause=0.0)


def only(folder: Path) -> list[str]:
    """What is in a folder of downloads, but for the lock."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_whole_and_kept(server: Server, tmp_path: Path) -> None:
    folder = downloads(tmp_path / "data" / ".voc.part")
    assert folder == tmp_path / "data" / "downloads"
    assert get(server, folder).read_bytes() == DATA
    assert get(server, folder) == folder / "a.tar"
    assert server.wanted == [None] and server.sent == len(DATA) and only(folder) == ["a.tar"]


def test_goes_on_where_the_connection_broke(server: Server, tmp_path: Path) -> None:
    server.drops = [CUT, CUT]
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.wanted == [None, f"bytes={CUT}-", f"bytes={2 * CUT}-"]
    assert server.sent == len(DATA)  # no byte twice


def test_goes_on_in_the_next_command(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.partial").write_bytes(DATA[:1000])
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.wanted == ["bytes=1000-"] and server.sent == len(DATA) - 1000


def test_a_server_without_ranges_sends_everything_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.drops = False, [CUT]
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.wanted == [None, f"bytes={CUT}-"] and server.sent == CUT + len(DATA)


@pytest.mark.parametrize("surplus", [b"", b"more than there is"])
def test_a_partial_file_that_is_not_shorter(server: Server, tmp_path: Path, surplus: bytes) -> None:
    (tmp_path / "a.tar.partial").write_bytes(DATA + surplus)
    assert get(server, tmp_path).read_bytes() == DATA
    assert server.sent == (len(DATA) if surplus else 0)


def test_another_file_is_refused_and_removed(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=r"a\.tar\.partial is not the published file: its digest is md5:") as caught:
        get(server, tmp_path, "md5:" + "0" * 32)
    assert server.url("a.tar") in caught.value.remedy and "--archive FILE" in caught.value.remedy
    assert only(tmp_path) == []


def test_a_stale_partial_file_is_found_out(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar.partial").write_bytes(b"of another file")
    with pytest.raises(WsssError, match="not the published file"):
        get(server, tmp_path)
    assert get(server, tmp_path).read_bytes() == DATA


def test_a_kept_file_is_checked_and_left(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(DATA[:-1])
    with pytest.raises(WsssError, match=r"a\.tar is not the published file"):
        get(server, tmp_path)
    assert only(tmp_path) == ["a.tar"] and server.asked == []


def test_the_second_url_when_the_first_has_nothing(server: Server, tmp_path: Path) -> None:
    assert get(server, tmp_path, urls=(server.url("gone"), server.url("a.tar"))).read_bytes() == DATA
    assert [path for path, _ in server.asked] == ["gone", "a.tar"]


def test_an_error_that_passes(server: Server, tmp_path: Path) -> None:
    server.errors = [503]
    assert get(server, tmp_path).read_bytes() == DATA


def test_without_network(tmp_path: Path) -> None:
    with serving(Server({})) as gone:
        pass
    with pytest.raises(WsssError, match=r"a\.tar cannot be downloaded: 127.*refused") as caught:
        get(gone, tmp_path)
    assert caught.value.remedy == f"fetch it by hand from {gone.url('a.tar')} and pass it with --archive FILE"
    assert only(tmp_path) == []


def test_a_server_that_breaks_every_time(server: Server, tmp_path: Path) -> None:
    server.drops = [CUT] + [0] * 100
    with pytest.raises(WsssError, match=r"the connection was dropped") as caught:
        get(server, tmp_path)
    assert len(server.asked) == download.TRIES_AFTER
    assert "goes on from 1 MB" in caught.value.remedy and only(tmp_path) == ["a.tar.partial"]
    server.drops = []
    assert get(server, tmp_path).read_bytes() == DATA and server.sent == len(DATA)


def test_one_command_at_a_time(server: Server, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".a.tar.lock"), pytest.raises(WsssError, match=r"is downloading .*a\.tar\.partial"):
        get(server, tmp_path)
    assert server.asked == []


@pytest.mark.parametrize(
    ("number", "message"), [(errno.ENOSPC, "no space left"), (errno.EFBIG, "larger than its file system")]
)
def test_a_full_disk_is_no_matter_of_the_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def full(*_: object) -> bool:
        raise OSError(number, "full")

    monkeypatch.setattr(download, "_receive", full)
    with pytest.raises(WsssError, match=message):
        get(server, tmp_path)


def test_digests(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert digest_of(tmp_path / "x") == "md5:900150983cd24fb0d6963f7d28e17f72"
    assert digest_of(tmp_path / "x", "sha256").startswith("sha256:ba7816bf")
