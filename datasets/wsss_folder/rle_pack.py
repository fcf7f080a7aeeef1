"""Label Studio's brush strokes: a picture's bytes, packed bit by bit into run lengths.

Header: 32 bits count of words, 5 bits word size - 1, four times 4 bits size of a length - 1.  Then chunks: 1 bit
whether a word repeats, 2 bits which of the four sizes, the length - 1; then one word, or as many as the length says.
[format of @thi.ng/rle-pack, as Label Studio's documentation of brush labels names it]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORD = 8  # bits; pictures are bytes


def unpack(packed: Sequence[int], expected: int) -> NDArray[np.uint8]:
    """The words (expected,) of a packed list of bytes.  Raises ValueError if there are others, or it ends early."""
    bits = _Bits(bytes(packed))
    count, size = bits.take(32), bits.take(5) + 1
    if (count, size) != (expected, WORD):
        raise ValueError(f"it holds {count} values of {size} bits, not {expected} of {WORD}")
    lengths = [bits.take(4) + 1 for _ in range(4)]
    words = np.zeros(count, np.uint8)
    at = 0
    while at < count:
        repeats = bits.take(1)
        stop = at + bits.take(lengths[bits.take(2)]) + 1
        if repeats:
            words[at:stop] = bits.take(WORD)
        else:
            words[at:stop] = bits.words(stop - at)[: count - at]
        at = stop
    return words


def brushed(packed: Sequence[int], width: int, height: int) -> NDArray[np.bool_]:
    """(height, width) whether a pixel is under the brush: where the picture's alpha is not 0.  Raises ValueError."""
    painted: NDArray[np.bool_] = unpack(packed, width * height * 4).reshape(height, width, 4)[..., 3] > 0
    return painted


class _Bits:
    """Reads numbers of any number of bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> int:
        start, self.at = self.at, self.at + size
        if self.at > 8 * len(self.data):
            raise ValueError("it ends early")
        window = self.data[start // 8 : (self.at + 7) // 8]
        return int.from_bytes(window) >> (-self.at % 8) & ((1 << size) - 1)

    def words(self, count: int) -> NDArray[np.uint8]:
        """The next `count` bytes (count,)."""
        return np.frombuffer(self.take(WORD * count).to_bytes(count), np.uint8)
