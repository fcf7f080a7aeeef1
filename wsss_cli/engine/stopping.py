"""Signals end a training once its state is saved."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopped(SystemExit):
    """A signal ended the training after its state was saved; `text` says so to the user."""

    def __init__(self, signum: int, text: str) -> None:
        super().__init__(128 + signum)
        self.text = text


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list while training; a second one ends at once.

    Unless it comes within a second: launchers and terminals may deliver one request twice.
    """
    seen: list[int] = []
    first = 0.0

    def note(signum: int, frame: object) -> None:
        nonlocal first
        if seen and time.monotonic() - first > 1:
            raise KeyboardInterrupt
        first = first or time.monotonic()
        seen.append(signum)

    if threading.current_thread() is not threading.main_thread():  # no signals to collect
        yield seen
        return
    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
