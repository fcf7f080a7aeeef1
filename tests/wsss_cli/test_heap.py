"""The heap gives back what nothing uses, and only where the process holds much."""

import sys

import pytest

from wsss_cli import heap as module
from wsss_cli.heap import Heap, give_back, resident_bytes


def test_it_gives_back_where_a_fourth_of_the_memory_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    held, given = [0], []
    monkeypatch.setattr(module, "memory", lambda: 4_000)
    monkeypatch.setattr(module, "resident_bytes", lambda: held[0])
    monkeypatch.setattr(module, "give_back", lambda: given.append(held[0]))
    heap = Heap()
    for size in (1, 1_000, 1_001, 2_002, 2_003):  # the third was in use: what is held now may double
        held[0] = size
        heap.tidy()
    assert given == [1_001, 2_003]


@pytest.mark.skipif(sys.platform != "linux", reason="what the process holds is not known")
def test_holes_are_given_back() -> None:
    if module._malloc_trim() is None:
        pytest.skip("the C library is not glibc")
    blocks = [bytearray(b"x" * 60_000) for _ in range(4_000)]  # below the size that gets pages of its own
    del blocks[::2]
    before = resident_bytes()
    assert give_back()
    assert before - resident_bytes() > 40_000_000 and len(blocks) == 2_000
