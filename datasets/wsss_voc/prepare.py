"""A VOC devkit -> samples: tags and boxes from the XML, masks from SegmentationClass(Aug), splits from the lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from wsss_cli.data.images import image_size
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.parallel import ParallelMap
from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample
from wsss_cli.errors import WsssError
from wsss_voc.annotation import read_annotation
from wsss_voc.config import Options
from wsss_voc.devkit import ANNOTATIONS, Entry, choose_list, choose_masks, find_devkit, read_lists

CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterable[Sample | BadSample]]:
    """The data set of a devkit on disk; nothing is copied, `folder` stays empty.

    Every list is recorded as a split; train, val and seeds are the roles of three of them.
    """
    devkit = find_devkit(options.root).absolute()
    wanted = {"train": options.train, "val": options.val, "seeds": options.seeds}
    roles = {role: choose_list(name, role, devkit) for role, name in wanted.items()}
    entries, notes = _present(read_lists(devkit), set(roles.values()))
    entries, masks = _with_masks(entries, options.masks, devkit)
    info = DatasetInfo(
        name="voc",
        kind="voc",
        classes=CLASSES,
        splits=roles,
        source=f"VOC devkit {devkit}",
        masks=masks,
        palette=voc_palette(len(CLASSES) + 1),
        notes=notes,
    )
    return info, ParallelMap(partial(_sample, devkit=devkit, needed=frozenset(roles.values())), entries)


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


def _with_masks(entries: list[Entry], choice: str, devkit: Path) -> tuple[list[Entry], str]:
    """Each entry with its mask file or None, and the names of the folders they are from."""
    if choice != "auto" or not all(e.mask for e in entries):
        folder = choose_masks(choice, devkit)
        listed = choice == "auto"
        entries = [replace(e, mask=(e.mask if listed else None) or _existing(folder / f"{e.id}.png")) for e in entries]
    return entries, ", ".join(sorted({e.mask.parent.name for e in entries if e.mask}))


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _sample(entry: Entry, devkit: Path, needed: frozenset[str]) -> Sample | BadSample:
    try:
        width, height = image_size(entry.image)
        annotation = devkit / ANNOTATIONS / f"{entry.id}.xml"
        if not annotation.is_file():
            if needed & set(entry.splits):
                raise WsssError(f"{annotation} is missing", "put it there: tags and boxes are read from it")
            return Sample(entry.id, entry.image, width, height, (), (), entry.mask, entry.splits)
        boxes = read_annotation(annotation, width, height, CLASSES)
    except WsssError as error:
        return BadSample(entry.id, error)
    tags = tuple(sorted({box.label for box in boxes}))
    return Sample(entry.id, entry.image, width, height, tags, boxes, entry.mask, entry.splits)
