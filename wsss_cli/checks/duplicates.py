"""The same picture under two ids: in train and in val, where it spoils the score, or twice in one split."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from wsss_cli.checks.finding import Finding, some
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import DatasetInfo, Sample
from wsss_cli.parallel.ordered import ParallelMap


@dataclass
class Duplicates:
    """Groups of images whose sketches (see `images.verified`) agree; only these are read again and compared in full."""

    info: DatasetInfo
    alike: defaultdict[bytes, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Sample, sketch: bytes) -> None:
        self.alike[sketch].append(sample)

    def findings(self) -> list[Finding]:
        """An error for pictures in train and in val, a warning for the other ones that stand there twice."""
        groups = same_pixels(group for group in self.alike.values() if len(group) > 1)
        leaks = {id: _equal(group) for group in groups for id in self._leaked(group)}
        copies = [group for group in groups if not leaks.keys() & {s.id for s in group}]
        found = []
        if leaks:
            roles = self.info.splits
            what = f"{len(leaks)} image(s) of split '{roles['train']}' (train) are also in '{roles['val']}' (val)"
            remedy = "--fix takes them out of train: a score on learnt images means nothing"
            listed = some(list(dict.fromkeys(leaks.values())))
            found.append(Finding("error", f"{what}: {listed}", remedy, "duplicate-across", tuple(leaks)))
        if copies:
            what = f"{len(copies)} picture(s) stand there more than once: {some([_equal(g) for g in copies])}"
            ids = tuple(s.id for group in copies for s in group)
            found.append(Finding("warning", what, "each copy counts; take them off the lists", "duplicate", ids))
        return found

    def _leaked(self, group: list[Sample]) -> list[str]:
        """The ids in train of which another image of the group is in val."""
        train, val = (self.info.splits.get(role) for role in ("train", "val"))
        held_out = {s.id for s in group if val in s.splits}
        return [s.id for s in group if train in s.splits and held_out - {s.id}]


def same_pixels(groups: Iterable[list[Sample]]) -> list[list[Sample]]:
    """Split each group into those whose decoded pictures are equal; the ones that stay alone are dropped."""
    split = []
    for group in groups:
        by_digest: defaultdict[bytes, list[Sample]] = defaultdict(list)
        for sample, digest in zip(group, ParallelMap(_digest, group)):
            by_digest[digest].append(sample)
        split += [same for same in by_digest.values() if len(same) > 1]
    return split


def _digest(sample: Sample) -> bytes:
    pixels = read_image(sample.image)  # (H, W, 3)
    return hashlib.blake2b(pixels.tobytes() + repr(pixels.shape).encode(), digest_size=16).digest()


def _equal(group: Iterable[Sample]) -> str:
    return " = ".join(dict.fromkeys(s.id for s in group))
