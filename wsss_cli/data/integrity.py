"""Is the data what it says it is?  What `wsss prepare` insists on and `wsss check -d NAME` looks at again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from wsss_cli.data.images import read_bytes, verified_size
from wsss_cli.data.label_format import Labels, format_of, label_format
from wsss_cli.data.labels import decode_labels
from wsss_cli.data.parallel import ParallelMap
from wsss_cli.data.prepared import BadSample, Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError

Level = Literal["ok", "warning", "error"]
SHOWN = 10  # ids or problems named in one message; the rest is counted


@dataclass(frozen=True)
class Finding:
    """One thing found: what (naming the file, split or ids), and what to do about it."""

    level: Level
    what: str
    remedy: str = ""


@dataclass(frozen=True)
class Checked:
    """A sample with its digests filled in (None if it could not be made at all), and what is wrong with its files."""

    id: str
    sample: Sample | None
    problems: tuple[Finding, ...] = ()


def check(prepared: Prepared, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """Every finding about a prepared data set; a single "ok" if there is nothing to say.

    Reads every image and mask, on all cores.  progress(done, total) after each image.
    """
    tally, findings, changed = Tally(prepared.info), [], []
    classes = len(prepared.info.classes)
    results = ParallelMap(lambda sample: check_sample(sample, classes), prepared.samples)
    for before, (done, now) in zip(prepared.samples, enumerate(results, start=1), strict=True):
        findings += [*now.problems, *tally.add(before)]
        if before.image_digest and now.sample not in (None, before):
            changed.append(before.id)
        if progress:
            progress(done, len(prepared.samples))
    if changed:
        findings.append(Finding("warning", f"files changed since they were prepared: {some(changed)}", "prepare again"))
    findings += tally.findings()
    return findings or [Finding("ok", f"{len(prepared.samples)} images, {classes} classes: every file is sound")]


def check_sample(sample: Sample | BadSample, num_classes: int) -> Checked:
    """Read the image and mask of one sample to the end and compare them with what the sample says."""
    if isinstance(sample, BadSample):
        return Checked(sample.id, None, (Finding("error", sample.error.what, sample.error.remedy),))
    try:
        image = read_bytes(sample.image)
        mask = b"" if sample.mask is None else read_bytes(sample.mask)
        size = verified_size(image, sample.image)
        problems = [*_size_problems(sample, size), *_id_problems(sample, num_classes), *_box_problems(sample)]
        if sample.mask is not None:
            problems += _mask_problems(sample.mask, decode_labels(mask, sample.mask), sample.image, size, num_classes)
    except WsssError as error:
        return Checked(sample.id, None, (Finding("error", error.what, error.remedy),))
    digests = replace(sample, image_digest=_digest(image), mask_digest=_digest(mask) if mask else "")
    return Checked(sample.id, digests, tuple(problems))


@dataclass
class Tally:
    """What only shows across images: ids given twice, splits that overlap or are empty, images without tag or mask."""

    info: DatasetInfo
    ids: set[str] = field(default_factory=set)
    sizes: Counter[str] = field(default_factory=Counter)
    leaked: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    tagless: list[str] = field(default_factory=list)
    maskless: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample) -> list[Finding]:
        """Count a sample in; an error if its id has come before."""
        if sample.id in self.ids:
            return [
                Finding("error", f"{sample.image}: a second image with the id '{sample.id}'", "give each its own id")
            ]
        self.ids.add(sample.id)
        self.sizes.update(sample.splits)
        train, val, seeds = (self.info.splits.get(role) in sample.splits for role in ("train", "val", "seeds"))
        if train and val:
            self.leaked.append(sample.id)
        if seeds and not train:
            self.strays.append(sample.id)
        if train and not sample.tags:
            self.tagless.append(sample.id)
        if sample.mask is None:
            self.maskless.update(sample.splits)
        return []

    def findings(self) -> list[Finding]:
        """Errors and warnings about the data set as a whole."""
        roles = self.info.splits
        found = [self._empty(split) for split in dict.fromkeys(roles.values()) if not self.sizes[split]]
        if self.leaked:
            both = f"split '{roles['train']}' (train) and in split '{roles['val']}' (val)"
            what = f"{len(self.leaked)} image(s) in {both}: {some(self.leaked)}"
            found.append(
                Finding("error", what, "take them off one of the two lists: a score on learnt images means nothing")
            )
        if self.strays:
            what = f"not in split '{roles.get('train')}' but in '{roles['seeds']}', where seeds are scored"
            remedy = "no seeds are made for them: choose a part of the train split"
            found.append(Finding("warning", f"{len(self.strays)} image(s) {what}: {some(self.strays)}", remedy))
        if self.tagless:
            what = f"{len(self.tagless)} train image(s) without a tag: {some(self.tagless)}"
            found.append(Finding("warning", what, "methods that learn from tags leave them out"))
        for role in ("val", "seeds"):
            found += self._unscored(role)
        return found

    def _empty(self, split: str) -> Finding:
        roles = " and ".join(role for role, name in self.info.splits.items() if name == split)
        known = ", ".join(f"{name} ({n})" for name, n in sorted(self.sizes.items())) or "none"
        what = f"split '{split}', which is to be the {roles} split, has no usable image"
        return Finding("error", what, f"splits found: {known}")

    def _unscored(self, role: str) -> list[Finding]:
        split = self.info.splits.get(role, "")
        lacking, total = self.maskless[split], self.sizes[split]
        if not lacking:
            return []
        what = f"{lacking} of {total} images of split '{split}' ({role}) have no mask"
        return [Finding("warning", what, "scores leave them out" if lacking < total else "nothing can be scored on it")]


def some(things: list[str]) -> str:
    """The first few, and how many more."""
    rest = len(things) - SHOWN
    return ", ".join(things[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _size_problems(sample: Sample, size: tuple[int, int]) -> Iterable[Finding]:
    if size != (sample.width, sample.height):
        what = f"{sample.image} is {size[0]} x {size[1]}, but was declared {sample.width} x {sample.height}"
        yield Finding("error", what, "prepare again if the image was replaced")


def _id_problems(sample: Sample, num_classes: int) -> Iterable[Finding]:
    wrong = sorted({*sample.tags, *(b.label for b in sample.boxes)} - set(range(1, num_classes + 1)))
    if wrong:
        yield Finding(
            "error", f"{sample.image}: class ids {wrong} are not in 1..{num_classes}", "correct its tags and boxes"
        )


def _box_problems(sample: Sample) -> Iterable[Finding]:
    for box in sample.boxes:
        if not (0 <= box.x0 < box.x1 <= sample.width and 0 <= box.y0 < box.y1 <= sample.height):
            what = (
                f"{sample.image}: box {_corners(box)} is inverted, empty or not inside {sample.width} x {sample.height}"
            )
            yield Finding("error", what, "correct the box; boxes are x0, y0, x1, y1, x1 and y1 exclusive")


def _mask_problems(
    path: Path, labels: Labels, image: Path, size: tuple[int, int], num_classes: int
) -> Iterable[Finding]:
    height, width = labels.shape
    if (width, height) != size:
        what = f"{path} is {width} x {height}, but its image {image} is {size[0]} x {size[1]}"
        yield Finding("error", what, "give the mask of this very image, unscaled")
    form = label_format(num_classes)
    if format_of(labels) != form:
        what = (
            f"{path} has {format_of(labels).bits} bits per pixel, but with {num_classes} classes masks have {form.bits}"
        )
        yield Finding("error", what, f"save it as a {form.bits}-bit PNG of class ids, {form.ignore} for ignore")
        return
    ids = np.flatnonzero(np.bincount(labels.ravel()))
    wrong = ids[(ids > num_classes) & (ids != form.ignore)]
    if len(wrong):
        what = f"{path} holds class ids {some([str(i) for i in wrong])}, not in 0..{num_classes} or {form.ignore}"
        yield Finding("error", what, f"renumber them; the data set has {num_classes} classes")


def _corners(box: Box) -> str:
    return f"({box.x0}, {box.y0}, {box.x1}, {box.y1})"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
