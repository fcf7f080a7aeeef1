"""Two parts of a data set in each of which every tag has its share: iterative stratification.

[Sechidis, Tsoumakas, Vlahavas 2011, "On the stratification of multi-label data", algorithm 1], with whole groups of
images (slides, patients) as the units, so that none is in both parts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

TRAIN, VAL = 0, 1
Vector = Mapping[Hashable, int]


def stratified(units: Mapping[str, Vector], share: float, seed: int, train_has: Iterable[Hashable] = ()) -> set[str]:
    """The units that go to val, about `share` of each label and of all images.

    units  how many images of each label a unit holds, by the unit's name; the label None counts all its images.
    The rarest label is dealt out first, each unit to the part that lacks the label most; where they lack it about
    equally, to the part that lacks more of its images.  The first unit of a label goes to train, unless `train_has`
    it from elsewhere; val is not empty if there are two units.  The order of equals depends on (seed, name) alone.
    """
    whole: Counter[Hashable] = Counter()
    for vector in units.values():
        whole.update(vector)
    wanted = [{label: n * part for label, n in whole.items()} for part in (1 - share, share)]
    seen = set(train_has)
    parts: dict[str, int] = {}
    holders = _holders(units)
    while len(parts) < len(units):
        label = min(holders, key=lambda one: (len(holders[one]), str(one)))
        for unit in _ordered(holders[label], units, label, seed):
            side = _side(units[unit], label, wanted, share) if seen.issuperset(units[unit]) else TRAIN
            parts[unit] = side
            seen.update(units[unit] if side == TRAIN else ())
            for held, n in units[unit].items():
                wanted[side][held] -= n
                holders[held].discard(unit)
        del holders[label]
    return _not_empty({unit for unit, part in parts.items() if part == VAL}, units, seed)


def place(seed: int, name: str) -> bytes:
    """A fixed place in a random order."""
    return hashlib.blake2b(f"{seed}\n{name}".encode(), digest_size=8).digest()


def _holders(units: Mapping[str, Vector]) -> dict[Hashable, set[str]]:
    holders: dict[Hashable, set[str]] = {}
    for unit, vector in units.items():
        for label in vector:
            holders.setdefault(label, set()).add(unit)
    return holders


def _ordered(names: Iterable[str], units: Mapping[str, Vector], label: Hashable, seed: int) -> Sequence[str]:
    """The largest first, so that small ones can even out."""
    return sorted(names, key=lambda name: (-units[name][label], place(seed, name)))


def _side(vector: Vector, label: Hashable, wanted: list[dict[Hashable, float]], share: float) -> int:
    """The part that lacks more of the label; where it differs by less than half of the unit, of its images."""
    lack = wanted[VAL][label] - wanted[TRAIN][label]
    of_all = wanted[VAL][None] / share - wanted[TRAIN][None] / (1 - share)
    decisive = lack if 2 * abs(lack) >= vector[label] else of_all
    return VAL if decisive > 0 else TRAIN


def _not_empty(val: set[str], units: Mapping[str, Vector], seed: int) -> set[str]:
    """With one unit moved to val if it is empty: the one whose rarest label is the most frequent."""
    if val or len(units) < 2:
        return val
    count: Counter[Hashable] = Counter()
    for vector in units.values():
        count.update(vector)
    return {max(units, key=lambda unit: (min(count[label] - n for label, n in units[unit].items()), place(seed, unit)))}
