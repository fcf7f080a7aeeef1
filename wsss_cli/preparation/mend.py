"""`wsss check --fix`: what a program may put right in a prepared data set; the rest is refused with the reason.

Only dataset.yaml and samples.jsonl change: images and masks are never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_cli.checks.dataset import inside_image
from wsss_cli.checks.finding import Finding, some
from wsss_cli.data.holding import making, require_unused
from wsss_cli.data.prepared import Box, Prepared, Sample, write_prepared
from wsss_cli.errors import WsssError
from wsss_cli.files import followed, link, put_in_place
from wsss_cli.preparation.prepare import aside

MOST_UNREADABLE = 0.5  # of the images; beyond it the place is wrong, not the files
REASONS = {
    "unreadable-mask": "an image without its mask would no longer count in the score: restore the mask",
    "smaller-image": "it is made of the photo: prepare again, with --force",
    "image-size": "boxes and mask may belong to the image that was replaced: prepare again",
    "mask-size": "whether the image or the mask is the wrong one cannot be known",
    "mask-format": "ids may have been cut when the mask was saved: save it again",
    "class-id": "which class was meant cannot be known",
    "mask-id": "which class was meant cannot be known",
    "box": "nothing is left of the box inside the image",
    "empty-split": "images must be added to it",
}


@dataclass(frozen=True)
class Mending:
    """What --fix does: the samples as they are to be, a line for each change, and each error that stays, with why."""

    samples: tuple[Sample, ...]
    changes: tuple[str, ...]
    refused: tuple[Finding, ...]


def plan_mending(prepared: Prepared, findings: Sequence[Finding]) -> Mending:
    """Drop unreadable images, take images of val out of train, clip boxes to their images.

    Raises WsssError if images cannot be told apart by their ids, or if more than half of them, or all of a split,
    would go.
    """
    _require_own_ids(prepared, findings)
    broken = _ids(findings, "unreadable-image")
    learnt = _ids(findings, "split-overlap", "duplicate-across") - broken
    _require_most_readable(prepared, broken)
    roles = prepared.info.splits
    left = {roles.get("train"), roles.get("seeds")} - {roles.get("val")}
    kept = (_out_of(left, s) if s.id in learnt else s for s in prepared.samples if s.id not in broken)
    samples = [s for s in kept if s.splits or s.id not in learnt]
    mended = [_clip(s) for s in samples]
    clipped = [now.id for now, before in zip(mended, samples) if now != before]
    _require_splits(prepared, mended)
    done = {
        "dropped {} image(s) that cannot be read": sorted(broken),
        f"took {{}} image(s) of '{roles.get('val')}' out of '{roles.get('train')}'": sorted(learnt),
        "clipped the boxes of {} image(s)": clipped,
    }
    changes = tuple(f"{line.format(len(ids))}: {some(ids)}" for line, ids in done.items() if ids)
    return Mending(tuple(mended), changes, tuple(_refused(findings, mended)))


def write_mended(prepared: Prepared, mending: Mending) -> Path:
    """Put the mended data set in the place of the old one, which is kept as `<name>.previous`; returns that folder.

    Files inside the folder are linked, not copied, where the disk can.
    """
    place = followed(prepared.folder.absolute())
    previous = place.with_name(f"{place.name}.previous")
    info = replace(prepared.info, notes=(*prepared.info.notes, *(f"check --fix: {c}" for c in mending.changes)))
    with making(place), aside(place.parent, place.name) as folder:
        require_unused(place)
        shutil.copytree(place, folder, symlinks=True, copy_function=link, dirs_exist_ok=True)
        write_prepared(folder, info, (_moved(s, prepared.folder, folder) for s in mending.samples))
        put_in_place(folder, place, previous)
    return followed(prepared.folder).with_name(previous.name)


def _ids(findings: Iterable[Finding], *kinds: str) -> set[str]:
    return {id for f in findings if f.kind in kinds for id in f.images}


def _out_of(splits: Iterable[str | None], sample: Sample) -> Sample:
    return replace(sample, splits=tuple(s for s in sample.splits if s not in splits))


def _clip(sample: Sample) -> Sample:
    return replace(sample, boxes=tuple(_inside(box, sample) for box in sample.boxes))


def _inside(box: Box, sample: Sample) -> Box:
    """The part of a box that lies in the image; the box itself if it has none there."""
    x0, x1 = max(0, box.x0), min(sample.width, box.x1)
    y0, y1 = max(0, box.y0), min(sample.height, box.y1)
    return replace(box, x0=x0, y0=y0, x1=x1, y1=y1) if x0 < x1 and y0 < y1 else box


def _refused(findings: Iterable[Finding], mended: Sequence[Sample]) -> Iterable[Finding]:
    """The errors that are still there, with the reason in the remedy's place."""
    kept = {s.id: s for s in mended}
    for f in findings:
        gone = bool(f.images) and not kept.keys() & set(f.images)
        clipped = f.kind == "box" and all(
            inside_image(b, kept[id]) for id in f.images if id in kept for b in kept[id].boxes
        )
        if f.level == "error" and f.kind in REASONS and not gone and not clipped:
            yield replace(f, remedy=REASONS[f.kind])


def _require_own_ids(prepared: Prepared, findings: Sequence[Finding]) -> None:
    twice = _ids(findings, "duplicate-id")
    if twice:
        what = f"several images of '{prepared.info.name}' have the same id: {some(sorted(twice))}"
        raise WsssError(what, "--fix goes by ids: give each image its own and prepare again")


def _require_most_readable(prepared: Prepared, broken: set[str]) -> None:
    if len(broken) > MOST_UNREADABLE * len(prepared.samples):
        what = f"{len(broken)} of {len(prepared.samples)} images of '{prepared.info.name}' cannot be read"
        raise WsssError(what, "--fix would drop them all; is the folder of the images still where it was?")


def _require_splits(prepared: Prepared, mended: Sequence[Sample]) -> None:
    before = {split for s in prepared.samples for split in s.splits}
    after = {split for s in mended for split in s.splits}
    for role, split in prepared.info.splits.items():
        if split in before - after:
            what = f"--fix would leave no image in split '{split}' ({role}) of '{prepared.info.name}'"
            raise WsssError(what, "nothing was changed; correct the lists and prepare again")


def _moved(sample: Sample, old: Path, new: Path) -> Sample:
    """Paths inside the data set's folder follow it."""

    def follow(path: Path) -> Path:
        return new / path.relative_to(old) if path.is_relative_to(old) else path

    whole = sample.original
    return replace(
        sample,
        image=follow(sample.image),
        mask=None if sample.mask is None else follow(sample.mask),
        original=None if whole is None else replace(whole, image=follow(whole.image)),
    )
