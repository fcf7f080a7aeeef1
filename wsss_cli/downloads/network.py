"""Whether a host answers at all: told in seconds, where a download would wait and try again for a minute."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

PATIENCE = 4.0  # seconds, for a name to be looked up and a connection to be made
PORTS = {"http": 80, "https": 443}


def unreachable(urls: Sequence[str]) -> list[str]:
    """For each URL why its host, or the proxy on the way, does not answer; "" if it does.  Takes PATIENCE at most."""
    until = monotonic() + PATIENCE
    answers = [_asked(url) for url in urls]
    return [_within(answer, until) for answer in answers]


def _asked(url: str) -> Queue[str]:
    """The answer to come: looking up a name cannot be given a time limit, so a thread does it."""
    answer: Queue[str] = Queue()
    Thread(target=lambda: answer.put(_try(_first_stop(url))), daemon=True).start()
    return answer


def _within(answer: Queue[str], until: float) -> str:
    try:
        return answer.get(timeout=max(0.0, until - monotonic()))
    except Empty:
        return f"no answer within {PATIENCE:g} s"


def _try(stop: SplitResult) -> str:
    if stop.scheme not in PORTS:  # a file, or a proxy of another kind: not for us to say
        return ""
    try:
        socket.create_connection((stop.hostname or "", stop.port or PORTS[stop.scheme]), PATIENCE).close()
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def _first_stop(url: str) -> SplitResult:
    host = urlsplit(url)
    proxy = getproxies().get(host.scheme)
    if not proxy or proxy_bypass(host.netloc):
        return host
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")
