"""A function over many items on all cores, results in order, memory flat."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from operator import length_hint
from typing import Generic, TypeVar

from wsss_cli.errors import Hindrance
from wsss_cli.parallel.worker import follow_parent
from wsss_cli.ranks.cores import cores

T = TypeVar("T")
R = TypeVar("R")
WORTH_PROCESSES = 256  # items; fewer are done by threads before the processes have started


class ParallelMap(Generic[T, R]):
    """`map(function, items)`: in order, a few items ahead of the reader, as long as `items` is.

    On threads, because decoding and compressing images leave the interpreter's lock. `processes`, for a function that
    does not, moves many items to processes of their own: function, items and results must be picklable.
    `ahead`: how many items, 4 a thread if None; fewer where each is large.
    An exception of `function` is raised where its result would have come; WsssError if a process dies.
    """

    def __init__(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        threads: int | None = None,
        processes: bool = False,
        ahead: int | None = None,
    ) -> None:
        self.function = function
        self.items = items
        self.threads = threads or cores()
        self.processes = processes
        self.ahead = 4 * self.threads if ahead is None else ahead

    def __length_hint__(self) -> int:
        return length_hint(self.items)

    def __iter__(self) -> Iterator[R]:
        waiting: deque[Future[R]] = deque()
        with self._pool() as pool:
            try:
                for item in self.items:
                    waiting.append(pool.submit(self.function, item))
                    if len(waiting) > self.ahead:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BrokenProcessPool as error:
                what = "a worker process was killed, perhaps because memory ran out"
                raise Hindrance(what, "free some memory and run the command again") from error
            finally:
                for future in waiting:
                    future.cancel()

    def _pool(self) -> Executor:
        if not self.processes or length_hint(self.items) < WORTH_PROCESSES:
            return ThreadPoolExecutor(self.threads)
        # spawned, not forked: this process has threads
        return ProcessPoolExecutor(self.threads, multiprocessing.get_context("spawn"), follow_parent)
