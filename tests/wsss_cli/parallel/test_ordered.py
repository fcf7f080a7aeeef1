"""In order, not far ahead, and failing where the item stands."""

import math
import os
import time
from collections.abc import Iterator
from operator import length_hint

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import WORTH_PROCESSES, ParallelMap


def test_results_come_in_order() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i % 3 == 0 else 0)
        return i * i

    mapped = ParallelMap(slow_first, range(20), threads=4)
    assert length_hint(mapped) == 20
    assert list(mapped) == [i * i for i in range(20)]


def test_it_stays_a_few_items_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(1, 1001):
            taken = i
            yield i

    results = iter(ParallelMap(str, items(), threads=2))
    assert next(results) == "1"
    assert taken <= 10
    results.close()  # type: ignore[attr-defined]


def test_an_error_comes_where_its_result_would() -> None:
    seen = []
    with pytest.raises(ZeroDivisionError):
        for value in ParallelMap(lambda i: 6 // i, [3, 2, 0, 1], threads=2):
            seen.append(value)
    assert seen == [2, 3]


def test_many_items_go_to_processes() -> None:
    """In order, the error where its result would have come, and not in this process."""
    n = WORTH_PROCESSES
    seen = []
    with pytest.raises(ValueError, match="nonnegative"):
        for value in ParallelMap(math.isqrt, [*range(n), -1, 1], threads=2, processes=True):
            seen.append(value)
    assert seen == [math.isqrt(i) for i in range(n)]
    with pytest.raises(WsssError, match="a worker process was killed"):
        list(ParallelMap(os._exit, range(n), threads=1, processes=True))


def test_a_few_items_stay_here() -> None:
    pids = ParallelMap(lambda _: os.getpid(), range(WORTH_PROCESSES - 1), processes=True)
    assert set(pids) == {os.getpid()}


def test_how_far_ahead_can_be_said() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(10):
            taken.append(i)
            yield i

    mapped = iter(ParallelMap(abs, items(), threads=1, ahead=1))
    assert next(mapped) == 0 and taken == [0, 1]
