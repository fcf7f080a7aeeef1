"""Work on many images in processes of their own, one thread each: for what is done per image on the CPU."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from wsss_cli.errors import Hindrance
from wsss_cli.parallel.worker import follow_parent


def map_unordered(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], workers: int, ahead: int = 2
) -> Iterator[tuple[int, Any]]:
    """Yield (index, function(*tasks[index])) as results come from `workers` processes; 0: in this one, in order.

    Tasks are drawn as needed, at most `ahead` per worker at once: memory stays flat however many there are.
    function must be importable by name; it, the tasks and the results are pickled. An exception of the function is
    raised here as it is and, like Ctrl-C, SIGTERM or leaving the loop, ends the processes where they are: what they
    write must be there whole or not at all.
    Raises WsssError if a process dies.
    """
    numbered = enumerate(tasks)
    if workers == 0:
        yield from ((index, function(*task)) for index, task in numbered)
        return
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
    running: dict[Future[Any], int] = {}
    try:
        while True:
            for index, task in itertools.islice(numbered, workers * ahead - len(running)):
                running[executor.submit(function, *task)] = index
            if not running:
                return
            done = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
            yield running.pop(done), done.result()
    except BrokenProcessPool as error:
        raise Hindrance(
            "a worker process died, often for want of memory", "run again with fewer workers: finished images are kept"
        ) from error
    except BaseException:
        _kill(executor)
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _kill(executor: ProcessPoolExecutor) -> None:
    """An image may take minutes; nobody who has asked for an end waits for it.  [kill_workers of Python 3.14]"""
    for process in list((executor._processes or {}).values()):
        process.kill()


def _begin() -> None:
    """In each worker: one thread; Ctrl-C is the parent's to handle; no worker outlives its parent."""
    import torch

    from wsss_cli.ranks.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    follow_parent()
