"""A function over many items on all cores, results in order, memory flat."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import length_hint
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ParallelMap(Generic[T, R]):
    """`map(function, items)` on threads: in order, a few items ahead of the reader, as long as `items` is.

    Threads, because decoding and compressing images leave the interpreter's lock. An exception of `function` is raised
    where its result would have come.
    """

    def __init__(self, function: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> None:
        self.function = function
        self.items = items
        self.threads = threads or cores()

    def __length_hint__(self) -> int:
        return length_hint(self.items)

    def __iter__(self) -> Iterator[R]:
        waiting: deque[Future[R]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for item in self.items:
                    waiting.append(pool.submit(self.function, item))
                    if len(waiting) > 4 * self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
