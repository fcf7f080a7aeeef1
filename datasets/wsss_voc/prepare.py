"""VOC -> samples: tags and boxes from the XML, masks from SegmentationClass(Aug), splits from the lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from wsss_cli.console import warn
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample
from wsss_cli.parallel.ordered import ParallelMap
from wsss_voc.classes import CLASSES
from wsss_voc.config import Options
from wsss_voc.devkit import MASKS, Entry, Lists, choose_list, choose_masks, merge, own_lists, read_lists, train_aug
from wsss_voc.samples import Reader
from wsss_voc.source import Source, find_source
from wsss_voc.tags import read_tags

AUG, CLASS = MASKS
OBJECTS = "SegmentationObject"
PUBLISHED = {"train": 1464, "train_aug": 10582, "val": 1449, "test": 1456}  # images of VOC 2012's lists


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterable[Sample | BadSample]]:
    """The data set of VOC; a devkit on disk is referenced where it is, archives are unpacked into `folder`.

    Every list is recorded as a split; train, val and seeds are the roles of three of them.
    """
    tags = read_tags(options.tags) if options.tags else {}
    source = find_source(options, folder)
    wanted = {"train": options.train, "val": options.val, "seeds": options.seeds}
    own = own_lists(wanted.values(), source.devkit)
    lists, made = _lists(source, own, Path(options.val).stem)
    roles = {role: choose_list(name, role, lists, source.devkit) for role, name in wanted.items()}
    entries, left_out = _present(merge(lists), set(roles.values()))
    entries, masks = _with_masks(entries, options.masks, source)
    info = DatasetInfo(
        name="voc",
        kind="voc",
        classes=CLASSES,
        splits=roles,
        source=source.told,
        masks=masks,
        palette=voc_palette(len(CLASSES) + 1),
        notes=(*made, *left_out, *_counts(entries, source.unpacked, options.sbd, own)),
        instances=tuple(path for path in (source.devkit / OBJECTS,) if path.is_dir()),
    )
    reader = Reader(
        devkit=source.devkit,
        needed=frozenset(roles.values()),
        learnt=frozenset({roles["train"], roles["seeds"]}),
        tags=tags,
        tags_file=options.tags,
        bad=source.bad,
    )
    return info, ParallelMap(reader.sample, entries)


def _lists(source: Source, own: Lists, val: str) -> tuple[Lists, tuple[str, ...]]:
    """The lists of the devkit and the user's own, train_aug made if it is missing, and a note if so."""
    published = read_lists(source.devkit)
    lists = published | own
    aug = source.aug or source.devkit / AUG
    if "train_aug" in lists or not aug.is_dir():
        return lists, ()
    masked = {path.stem for path in aug.glob("*.png")} | set(source.bad)
    ids = train_aug(masked, {entry.id for known in (lists, published) for entry in known.get(val, [])})
    if not ids:
        return lists, ()
    note = f"list 'train_aug' made: the {len(ids):,} images with a mask in {aug.name} that are not on '{val}'"
    return {**lists, "train_aug": [Entry.of(id, source.devkit) for id in ids]}, (note,)


def _present(entries: dict[str, Entry], needed: set[str]) -> tuple[list[Entry], tuple[str, ...]]:
    """Leave out lists that play no role and of whose images none is here (test.txt without the test images)."""
    here: dict[str, bool] = {}
    for entry in entries.values():
        for split in entry.splits:
            here[split] = here.get(split, False) or split in needed or entry.image.exists()
    absent = sorted(split for split, found in here.items() if not found)
    kept = [replace(e, splits=tuple(s for s in e.splits if here[s])) for e in entries.values()]
    notes = tuple(f"list '{split}' left out: none of its images is here" for split in absent)
    return [e for e in kept if e.splits], notes


def _with_masks(entries: list[Entry], choice: str, source: Source) -> tuple[list[Entry], str]:
    """Each entry with its mask file or None, and the names of the folders they are from."""
    if choice != CLASS and source.aug:
        own = source.devkit / CLASS  # where a ready-made folder of training masks leaves val to VOC
        entries = [replace(e, mask=_first(source.aug / f"{e.id}.png", e.mask, own / f"{e.id}.png")) for e in entries]
    elif choice != "auto" or not all(e.mask for e in entries):
        folder = choose_masks(choice, source.devkit)
        listed = choice == "auto"
        entries = [replace(e, mask=(e.mask if listed else None) or _first(folder / f"{e.id}.png")) for e in entries]
    return entries, ", ".join(sorted({e.mask.parent.name for e in entries if e.mask}))


def _first(*paths: Path | None) -> Path | None:
    return next((path for path in paths if path is not None and path.is_file()), None)


def _counts(entries: list[Entry], whole: bool, sbd: bool, own: Lists) -> tuple[str, ...]:
    """How long VOC's lists are here and as published; a warning if they differ though they should not."""
    found = Counter(split for entry in entries for split in entry.splits if split not in own)
    there = {name: wanted for name, wanted in PUBLISHED.items() if found[name]}
    should = {name for name in ("train", "val", "train_aug") if name != "train_aug" or sbd} - own.keys()
    text = ", ".join(f"{name} {found[name]:,} of {wanted:,}" for name, wanted in there.items())
    if whole and any(found[name] != PUBLISHED[name] for name in {*there, *should}):
        warn("these archives do not hold the whole of VOC 2012: the lists differ from the published ones")
    return (f"images on VOC's lists: {text}",) if text else ()
