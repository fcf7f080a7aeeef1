"""Two instances JSONs with their images -> samples; masks are painted into the data set's own folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from wsss_cli.data.coco_entries import Crowd, crowd_choice, crowd_warning
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.picture import Reading
from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample, size_limit
from wsss_cli.data.segmentation import short_warning
from wsss_cli.files import keep_if_made_from
from wsss_cli.parallel.ordered import ParallelMap
from wsss_coco.classes import class_ids, require_same
from wsss_coco.config import Options
from wsss_coco.index import Index, read_index
from wsss_coco.reader import Reader, Task, read
from wsss_coco.sources import find_source, require_images

MASKS = "masks"
ROLES: tuple[Literal["train", "val"], ...] = ("train", "val")


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterable[Sample | BadSample]]:
    """The data set of COCO's files on disk; masks that an interrupted run with the same settings made are kept."""
    sources = [find_source(options, role) for role in ROLES]
    train, val = (read_index(source.json) for source in sources)
    require_same(train, val)
    for source, index in zip(sources, (train, val), strict=True):
        require_images(source, index)
    labels, names = class_ids(train, options.classes)
    form = label_format(len(names))
    crowds = [crowd_choice(options.crowd, index.crowds, len(index.annotations), "skip") for index in (train, val)]
    info = DatasetInfo(
        name="coco",
        kind="coco",
        classes=names,
        splits={"train": options.train, "val": options.val, "seeds": options.train},
        source=f"{train.path}, {val.path}",
        masks=f"instances (paint {options.paint}, crowd {'/'.join(dict.fromkeys(crowds))})" if options.masks else "",
        palette=voc_palette(len(names) + 1),
        notes=(*_untagged(train, "train", options), *_untagged(val, "val", options)),
        warnings=(*_warnings(train, options, crowds[0]), *_warnings(val, options, crowds[1])),
        instances=(train.path, val.path),
        pictures=size_limit(options.max_megapixels),
    )
    if options.masks:
        keep_if_made_from(folder / MASKS, _recipe(options, train, val))
    else:
        shutil.rmtree(folder / MASKS, ignore_errors=True)
    parts, how = [], Reading(megapixels=options.max_megapixels)
    for role, source, index, crowd in zip(ROLES, sources, (train, val), crowds, strict=True):
        masks = folder / MASKS / role if options.masks else None
        empty = options.unlabelled == "empty"
        parts.append(
            _Part(index, role, Reader(*source, labels, masks, options.paint, crowd, form, empty, how), options)
        )
    return info, ParallelMap(read, _Tasks(parts), processes=True)


@dataclass(frozen=True)
class _Part:
    """The images of one JSON."""

    index: Index
    role: str
    reader: Reader
    options: Options

    def tasks(self) -> Iterator[Task]:
        """Each image with its splits: <role>_all; <role> if it has a tag; val_part if it is among the first of val."""
        tagged, part = self.index.tagged, self._val_part()
        ranks = np.cumsum(tagged)  # 1 is the first with a tag
        for i in range(len(self.index)):
            if not tagged[i] and self.options.unlabelled == "skip":
                continue
            among_first = bool(tagged[i]) and int(ranks[i]) <= part
            splits = [self.role] * bool(tagged[i]) + [f"{self.role}_all"] + ["val_part"] * among_first
            yield Task(self.reader, self.index.spans(i), tuple(splits))

    def __len__(self) -> int:
        return int(self.index.tagged.sum()) if self.options.unlabelled == "skip" else len(self.index)

    def _val_part(self) -> int:
        """Its images; 0 for none, as where it would be the whole of val."""
        wanted = self.options.val_part
        worth = self.options.val == "val_part" or int(self.index.tagged.sum()) > wanted
        return wanted if self.role == "val" and worth else 0


@dataclass(frozen=True)
class _Tasks:
    parts: list[_Part]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __iter__(self) -> Iterator[Task]:
        return chain.from_iterable(part.tasks() for part in self.parts)


def _recipe(options: Options, train: Index, val: Index) -> str:
    """All that the masks depend on."""
    lines = [f"{index.path.name} {index.digest}" for index in (train, val)]
    return "\n".join([*lines, f"classes {options.classes}, paint {options.paint}, crowd {options.crowd}", ""])


def _untagged(index: Index, role: str, options: Options) -> list[str]:
    n = int((~index.tagged).sum())
    done = {
        "keep": f"in split {role}_all only, without a mask (--unlabelled empty gives them one, skip leaves them out)",
        "skip": "left out",
        "empty": f"in split {role}_all only, as holding no class",
    }
    return [f"{n} image(s) of {index.path.name} have no annotation: {done[options.unlabelled]}"] if n else []


def _warnings(index: Index, options: Options, crowd: Crowd) -> Iterator[str]:
    crowds = crowd_warning(index.path, index.crowds, len(index.annotations), options.crowd, crowd)
    yield from filter(None, (crowds, short_warning(index.path.name, index.short)))
