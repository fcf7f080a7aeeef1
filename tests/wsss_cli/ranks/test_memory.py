"""How many processes there is room for."""

from pathlib import Path

import pytest

from wsss_cli.data.prepared import Sample
from wsss_cli.ranks.memory import affordable, available_memory
from wsss_cli.refine.crf_config import crf_memory


@pytest.mark.parametrize(
    ("free", "need", "ranks", "expected"),
    [(100, 10, 1, 8), (100, 30, 1, 3), (100, 30, 2, 1), (100, 500, 1, 1), (100, 0, 1, 8), (None, 10, 1, 8)],
)
def test_affordable(monkeypatch: pytest.MonkeyPatch, free: int | None, need: int, ranks: int, expected: int) -> None:
    monkeypatch.setattr("wsss_cli.ranks.memory.available_memory", lambda: free)
    assert affordable(8, need, ranks) == expected


def test_there_is_memory_or_nobody_knows() -> None:
    free = available_memory()
    assert free is None or 1 << 20 < free < 1 << 50


def test_need_of_the_crf_is_that_of_the_largest_image() -> None:
    small, large = (Sample(f"{n}", Path("x.jpg"), n, n, (1, 2)) for n in (100, 1000))
    assert crf_memory([]) == 0
    assert crf_memory([small, large]) == crf_memory([large]) > crf_memory([small])
    assert crf_memory([large], 81) > crf_memory([large], 21) > crf_memory([large])
