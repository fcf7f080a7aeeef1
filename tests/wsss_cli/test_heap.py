"""The heap gives back what nothing uses, and only when it has grown."""

import sys

import pytest

from wsss_cli import heap as module
from wsss_cli.heap import LEAST, Heap, give_back, resident_bytes


def test_it_gives_back_when_what_is_held_has_tripled(monkeypatch: pytest.MonkeyPatch) -> None:
    held, given = [LEAST], []
    monkeypatch.setattr(module, "resident_bytes", lambda: held[0])
    monkeypatch.setattr(module, "give_back", lambda: given.append(held[0]))
    heap = Heap()
    for size in (LEAST, 3 * LEAST):
        held[0] = size
        heap.tidy()
    assert not given
    held[0] = 3 * LEAST + 1
    heap.tidy()
    assert given == [3 * LEAST + 1]
    held[0] *= 2  # it was in use: what is held now is what may triple
    heap.tidy()
    assert len(given) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="what the process holds is not known")
def test_holes_are_given_back() -> None:
    if module._malloc_trim() is None:
        pytest.skip("the C library is not glibc")
    blocks = [bytearray(b"x" * 60_000) for _ in range(4_000)]  # below the size that gets pages of its own
    del blocks[::2]
    before = resident_bytes()
    assert give_back()
    assert before - resident_bytes() > 40_000_000 and len(blocks) == 2_000
