"""Whether a host answers at all: told in seconds, where a download would wait and try again for a minute."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from http.client import HTTPException
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, getproxies, proxy_bypass

PATIENCE = 4.0  # seconds, for a name to be looked up, a connection to be made and a first answer
SCHEMES = ("http", "https")


def unreachable(urls: Sequence[str], patience: float | None = None) -> list[str]:
    """For each URL why nobody answers for it, its host or a proxy on the way; "" if somebody does, whatever it says.

    Takes `patience` seconds at most, PATIENCE if none are given.
    """
    patience = PATIENCE if patience is None else patience
    until = monotonic() + patience
    answers = [_asked(url, patience) for url in urls]
    return [_within(answer, until, patience) for answer in answers]


def _asked(url: str, patience: float) -> Queue[str]:
    """The answer to come: looking up a name cannot be given a time limit, so a thread does it."""
    answer: Queue[str] = Queue()
    Thread(target=lambda: answer.put(_try(url, patience)), daemon=True).start()
    return answer


def _within(answer: Queue[str], until: float, patience: float) -> str:
    try:
        return answer.get(timeout=max(0.0, until - monotonic()))
    except Empty:
        return f"no answer within {patience:g} s"


class _Stay(HTTPRedirectHandler):
    """Where it leads on to is not asked: that somebody answers is enough."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _try(url: str, patience: float) -> str:
    """A connection alone would not do: a proxy takes any, and refuses or forgets what it is then asked for."""
    if not _is_ours(url):
        return ""
    try:
        build_opener(_Stay).open(Request(url, method="HEAD"), timeout=patience).close()
    except HTTPError as error:
        error.close()  # an answer
    except URLError as error:
        return _why(error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return _why(error)
    return ""


def _is_ours(url: str) -> bool:
    """Not a file, nor what a proxy of another kind is asked for: that is not for us to say."""
    host = urlsplit(url)
    proxy = "" if proxy_bypass(host.netloc) else getproxies().get(host.scheme, "")
    return host.scheme in SCHEMES and ("://" not in proxy or urlsplit(proxy).scheme in SCHEMES)


def _why(reason: object) -> str:
    if isinstance(reason, ssl.SSLError):  # an answer: whom to trust is the library's own matter
        return ""
    if isinstance(reason, TimeoutError):
        return "no answer"
    return getattr(reason, "strerror", None) or str(reason)
