"""Is the data what it says it is?  What `wsss prepare` insists on and `wsss check -d NAME` looks at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from wsss_cli.checks.agreement import Agreement
from wsss_cli.checks.balance import Balance
from wsss_cli.checks.duplicates import Duplicates
from wsss_cli.checks.finding import SHOWN, Finding, some
from wsss_cli.checks.large import Large
from wsss_cli.checks.oddities import Oddities
from wsss_cli.data.images import read_bytes, verified
from wsss_cli.data.label_format import Labels, format_of, label_format, present_ids, strange_ids
from wsss_cli.data.labels import decode_labels
from wsss_cli.data.picture import PLAIN, Reading
from wsss_cli.data.prepared import BadSample, Box, DatasetInfo, Prepared, Sample
from wsss_cli.data.unchanged import content_digest, require_same_objects, stamp
from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import ParallelMap

__all__ = ["SHOWN", "Finding", "Tally", "Whole", "check", "check_sample"]


@dataclass(frozen=True)
class Checked:
    """A sample with its digests filled in (None if it could not be made at all), and what is wrong with its files.

    sketch, odd  of the image, see `images.verified`; pixels, the class ids of its mask and their sizes,
    None without mask
    """

    id: str
    sample: Sample | None
    problems: tuple[Finding, ...] = ()
    sketch: bytes = b""
    odd: tuple[str, ...] = ()
    pixels: dict[int, int] | None = None


@dataclass(frozen=True)
class CheckedSet:
    """All that a reading of a data set's files tells."""

    findings: list[Finding]
    balance: Balance


def check(prepared: Prepared, progress: Callable[[int, int], None] | None = None) -> CheckedSet:
    """Read every image and mask, on all cores; what is wrong with them, and how many there are of each class.

    progress(done, total) after each image.
    """
    info = prepared.info
    whole = Whole(info)
    findings, changed = [], []
    classes = len(info.classes)
    results = ParallelMap(lambda sample: check_sample(sample, classes, info.reading), prepared.samples)
    for before, (done, now) in zip(prepared.samples, enumerate(results, start=1), strict=True):
        findings += [*now.problems, *whole.add(before, now)]
        if now.sample is not None and before.image_digest and now.sample != before:
            changed.append(before.id)
        if progress:
            progress(done, len(prepared.samples))
    if changed:
        what = f"files changed since they were prepared: {some(changed)}"
        remedy = "put back what they were, or prepare again: no stage runs on them"
        findings.append(Finding("error", what, remedy, "changed", tuple(changed)))
    findings += [*whole.findings(), *_objects(info)]
    sound = f"{len(prepared.samples)} images, {classes} classes: every file is sound"
    return CheckedSet(findings or [Finding("ok", sound)], whole.balance)


def _objects(info: DatasetInfo) -> list[Finding]:
    try:
        require_same_objects(info)
    except WsssError as error:
        return [Finding("error", error.what, error.remedy, "changed")]
    return []


def check_sample(sample: Sample | BadSample, num_classes: int, how: Reading = PLAIN) -> Checked:
    """Read the image and mask of one sample to the end and compare them with what the sample says.

    Of a photo that was made smaller both the photo and its smaller image.
    """
    if isinstance(sample, BadSample):
        return Checked(sample.id, None, (Finding("error", sample.error.what, sample.error.remedy),))
    checked = _check_files(sample.full, num_classes, how)
    return checked if sample.original is None or checked.sample is None else _with_smaller(sample, checked)


def _with_smaller(sample: Sample, checked: Checked) -> Checked:
    """What was found of a photo, and of the image that stages see in its place."""
    whole, found = checked.sample, checked.problems
    assert sample.original is not None and whole is not None
    stamps, digest = (stamp(sample.image), whole.stamps[1]), ""
    original = replace(sample.original, digest=whole.image_digest, stamp=whole.stamps[0])
    try:
        data = read_bytes(sample.image)
        digest = content_digest(data)
        verified(data, sample.image, PLAIN)
    except WsssError as error:
        found += (Finding("error", error.what, "prepare again, with --force", "smaller-image", (sample.id,)),)
    now = replace(sample, image_digest=digest, mask_digest=whole.mask_digest, stamps=stamps, original=original)
    return replace(checked, sample=now, problems=found)


def _check_files(sample: Sample, num_classes: int, how: Reading) -> Checked:
    kind = "unreadable-image"
    stamps = stamp(sample.image), stamp(sample.mask) if sample.mask is not None else ""
    try:
        image = read_bytes(sample.image)
        seen = verified(image, sample.image, how)
        kind = "unreadable-mask"
        mask = b"" if sample.mask is None else read_bytes(sample.mask)
        labels = None if sample.mask is None else decode_labels(mask, sample.mask)  # (H, W)
    except WsssError as error:
        return Checked(sample.id, None, (Finding("error", error.what, error.remedy, kind, (sample.id,)),))
    problems = [*_size_problems(sample, seen.size), *_id_problems(sample, num_classes), *_box_problems(sample)]
    if sample.mask is not None and labels is not None:
        problems += _mask_problems(sample.mask, labels, sample.image, seen.size, num_classes)
    digests = replace(
        sample, image_digest=content_digest(image), mask_digest=content_digest(mask) if mask else "", stamps=stamps
    )
    named = tuple(replace(problem, images=(sample.id,)) for problem in problems)
    return Checked(sample.id, digests, named, seen.sketch, seen.odd, None if labels is None else pixel_counts(labels))


def pixel_counts(labels: Labels) -> dict[int, int]:
    """The class ids of a label map (H, W), and how many pixels each has."""
    counts = np.bincount(labels.ravel())
    return {int(c): int(counts[c]) for c in np.flatnonzero(counts)}


@dataclass
class Tally:
    """What only shows across images: ids given twice, splits that overlap or are empty, images without tag or mask."""

    info: DatasetInfo
    ids: dict[str, str] = field(default_factory=dict)  # of each its image
    sizes: Counter[str] = field(default_factory=Counter)
    leaked: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    tagless: list[str] = field(default_factory=list)
    maskless: dict[str, list[str]] = field(default_factory=dict)  # ids by split

    def add(self, sample: Sample) -> list[Finding]:
        """Count a sample in; an error if its id has come before."""
        if sample.id in self.ids:
            what = f"{sample.image}: a second image with the id '{sample.id}', which {self.ids[sample.id]} has"
            remedy = "ids are names without their ending: rename one, or name both from a folder above (train/NAME)"
            return [Finding("error", what, remedy, "duplicate-id", (sample.id,))]
        self.ids[sample.id] = str(sample.image)
        self.sizes.update(sample.splits)
        train, val, seeds = (self.info.splits.get(role) in sample.splits for role in ("train", "val", "seeds"))
        if train and val:
            self.leaked.append(sample.id)
        if seeds and not train:
            self.strays.append(sample.id)
        if train and not sample.tags:
            self.tagless.append(sample.id)
        if sample.mask is None:
            for split in sample.splits:
                self.maskless.setdefault(split, []).append(sample.id)
        return []

    def findings(self) -> list[Finding]:
        """Errors and warnings about the data set as a whole."""
        roles = self.info.splits
        found = [Finding("warning", warning) for warning in self.info.warnings]
        found += [self._empty(split) for split in dict.fromkeys(roles.values()) if not self.sizes[split]]
        if self.leaked:
            both = f"split '{roles['train']}' (train) and in split '{roles['val']}' (val)"
            what = f"{len(self.leaked)} image(s) in {both}: {some(self.leaked)}"
            remedy = "take them off one of the two lists: a score on learnt images means nothing"
            found.append(Finding("error", what, remedy, "split-overlap", tuple(self.leaked)))
        if self.strays:
            what = f"not in split '{roles.get('train')}' but in '{roles['seeds']}', where seeds are scored"
            remedy = "no seeds are made for them: choose a part of the train split"
            what = f"{len(self.strays)} image(s) {what}: {some(self.strays)}"
            found.append(Finding("warning", what, remedy, "not-in-train", tuple(self.strays)))
        if self.tagless:
            what = f"{len(self.tagless)} train image(s) without a tag: {some(self.tagless)}"
            remedy = "methods that learn from tags leave them out"
            found.append(Finding("warning", what, remedy, "untagged", tuple(self.tagless)))
        for role in ("val", "seeds"):
            found += self._unscored(role)
        return found

    def _empty(self, split: str) -> Finding:
        roles = " and ".join(role for role, name in self.info.splits.items() if name == split)
        known = ", ".join(f"{name} ({n})" for name, n in sorted(self.sizes.items())) or "none"
        what = f"split '{split}', which is to be the {roles} split, has no usable image"
        return Finding("error", what, f"splits found: {known}", "empty-split")

    def _unscored(self, role: str) -> list[Finding]:
        split = self.info.splits.get(role, "")
        lacking, total = self.maskless.get(split, []), self.sizes[split]
        if not lacking:
            return []
        what = f"{len(lacking)} of {total} images of split '{split}' ({role}) have no mask"
        if len(lacking) == total:
            return [Finding("warning", what, "nothing can be scored on it", "no-mask", tuple(lacking))]
        return [Finding("warning", f"{what}: {some(lacking)}", "scores leave them out", "no-mask", tuple(lacking))]


class Whole:
    """All that shows across images, of one walk: what `prepare` tells and `check` tells again."""

    def __init__(self, info: DatasetInfo) -> None:
        self.tally, self.balance = Tally(info), Balance(info)
        self.duplicates, self.agreement = Duplicates(info), Agreement(info)
        self.oddities, self.large = Oddities(), Large(info)

    def add(self, sample: Sample, checked: Checked) -> list[Finding]:
        """Count a sample in, and what its files hold; an error if its id has come before."""
        self.balance.add(sample, checked.pixels)
        if checked.sample is not None:
            self.agreement.add(sample, checked.pixels)
            self.duplicates.add(sample, checked.sketch)
            self.oddities.add(sample.id, checked.odd)
            self.large.add(sample)
        return self.tally.add(sample)

    def findings(self) -> list[Finding]:
        """Errors and warnings about the data set as a whole."""
        parts = (self.tally, self.oddities, self.large, self.duplicates, self.agreement, self.balance)
        return [finding for part in parts for finding in part.findings()]


def _size_problems(sample: Sample, size: tuple[int, int]) -> Iterable[Finding]:
    if size != (sample.width, sample.height):
        what = f"{sample.image} is {size[0]} x {size[1]}, but was declared {sample.width} x {sample.height}"
        yield Finding("error", what, "prepare again if the image was replaced", "image-size")


def _id_problems(sample: Sample, num_classes: int) -> Iterable[Finding]:
    wrong = sorted({*sample.tags, *(b.label for b in sample.boxes)} - set(range(1, num_classes + 1)))
    if wrong:
        what = f"{sample.image}: class ids {wrong} are not in 1..{num_classes}"
        yield Finding("error", what, "correct its tags and boxes", "class-id")


def _box_problems(sample: Sample) -> Iterable[Finding]:
    for box in sample.boxes:
        if not inside_image(box, sample):
            what = (
                f"{sample.image}: box {_corners(box)} is inverted, empty or not inside {sample.width} x {sample.height}"
            )
            yield Finding("error", what, "correct the box; boxes are x0, y0, x1, y1, x1 and y1 exclusive", "box")


def inside_image(box: Box, sample: Sample) -> bool:
    """Whether a box holds a pixel or more, all of the sample's image."""
    return 0 <= box.x0 < box.x1 <= sample.width and 0 <= box.y0 < box.y1 <= sample.height


def _mask_problems(
    path: Path, labels: Labels, image: Path, size: tuple[int, int], num_classes: int
) -> Iterable[Finding]:
    height, width = labels.shape
    if (width, height) != size:
        what = f"{path} is {width} x {height}, but its image {image} is {size[0]} x {size[1]}"
        yield Finding("error", what, "give the mask of this very image, unscaled", "mask-size")
    form = label_format(num_classes)
    if format_of(labels) != form:
        what = (
            f"{path} has {format_of(labels).bits} bits per pixel, but with {num_classes} classes masks have {form.bits}"
        )
        remedy = f"save it as a {form.bits}-bit PNG of class ids, {form.ignore} for ignore"
        yield Finding("error", what, remedy, "mask-format")
        return
    if wrong := strange_ids(present_ids(labels), num_classes):
        what = f"{path} holds class ids {some([str(i) for i in wrong])}, not in 0..{num_classes} or {form.ignore}"
        yield Finding("error", what, f"renumber them; the data set has {num_classes} classes", "mask-id")


def _corners(box: Box) -> str:
    return f"({box.x0}, {box.y0}, {box.x1}, {box.y1})"
