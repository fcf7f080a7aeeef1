"""Without a network it is said within seconds, whichever way the network is missing."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from wsss_cli.downloads import network
from wsss_cli.downloads.download import Remote, fetch
from wsss_cli.downloads.network import unreachable
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.weights.pretrained import load_pretrained


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def server(reply: bytes | None) -> Iterator[str]:
    """A server that says this to whoever comes, or takes connections and says nothing; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    with connection:
                        connection.recv(4096)
                        connection.sendall(reply or b"")

        if reply is not None:
            Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def listening() -> Iterator[str]:
    """One who answers, if only that it is elsewhere."""
    with server(b"HTTP/1.1 302 Found\r\nLocation: http://no.such.host.invalid/\r\nContent-Length: 0\r\n\r\n") as url:
        yield url


@pytest.fixture
def black_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither names nor connections are ever answered, as behind a firewall that drops packets."""

    def never(*_: object, **__: object) -> list[object]:
        time.sleep(5)
        raise socket.gaierror("at last")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr(network, "PATIENCE", 0.5)


def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/a"


def test_who_answers_and_who_does_not(listening: str) -> None:
    assert unreachable([listening, closed(), "file:///etc/hostname"]) == ["", "Connection refused", ""]
    assert unreachable([]) == [] and unreachable(["https://no.such.host.invalid/x"])[0]


def test_the_proxy_is_asked_where_there_is_one(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", listening.rpartition("/")[0].removeprefix("http://"))
    assert unreachable(["http://no.such.host.invalid/x"]) == [""]
    monkeypatch.setenv("http_proxy", closed())
    assert unreachable(["http://no.such.host.invalid/x"]) == ["Connection refused"]
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    assert unreachable(["https://no.such.host.invalid/x"]) == [""]  # not for us to say


def test_a_proxy_that_lets_nobody_through_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(b"HTTP/1.1 403 Forbidden\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        assert unreachable(["https://no.such.host.invalid/x"]) == ["Tunnel connection failed: 403 Forbidden"]
    with server(None) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        start = time.monotonic()
        assert unreachable(["https://no.such.host.invalid/x"], 0.3)[0].startswith("no answer")
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "503 Service Unavailable"])
def test_whatever_a_host_says_it_has_answered(status: str) -> None:
    with server(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as url:
        assert unreachable([url]) == [""]


@pytest.mark.usefixtures("black_hole")
def test_many_hosts_are_asked_at_once() -> None:
    start = time.monotonic()
    assert unreachable([f"http://host{n}.example/x" for n in range(5)]) == ["no answer within 0.5 s"] * 5
    assert time.monotonic() - start < 2


@pytest.mark.usefixtures("black_hole")
def test_a_download_says_so_at_once(tmp_path: Path) -> None:
    start = time.monotonic()
    remote = Remote("a.tar", ("http://one.example/a.tar", "http://two.example/a.tar"), "md5:0")
    with pytest.raises(WsssError, match=r"cannot be downloaded: one.example: no answer within 0.5 s; two.example: no"):
        fetch(remote, tmp_path, "pass it with --archive FILE")
    assert time.monotonic() - start < 2 and not list(tmp_path.glob("a.tar*"))


@pytest.mark.usefixtures("black_hole")
def test_weights_say_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(WsssError, match=r"resnet18.tv_in1k' could not be downloaded: .*: no answer within 0.5 s"):
        load_pretrained(Backbone("resnet18.tv_in1k"), "timm")
    assert time.monotonic() - start < 5


def test_the_whole_wait_stays_below_five_seconds() -> None:
    assert network.PATIENCE <= 4.5
