"""Splits that somebody has made: lists, a column of a CSV, folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_cli.data.prepared import read_samples
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import make_ids
from wsss_folder.documents import read_text
from wsss_folder.matching import Finder
from wsss_folder.split_names import MEANT, meant
from wsss_folder.table import JSON, SPLIT, read_table
from wsss_folder.voc_main import LINE, is_main

USUAL = (".", "ImageSets/Main", "ImageSets/Segmentation", "ImageSets", "splits")
"""Folders of lists in or beside that of the images."""


@dataclass(frozen=True)
class Lists:
    """splits of each image by its number; lost  (image, why) of what the lists name and is not there."""

    paths: tuple[Path, ...]
    splits: dict[int, tuple[str, ...]]
    lost: list[tuple[str, WsssError]]


def read_lists(paths: Sequence[Path], finder: Finder, image_column: str = "auto") -> Lists:
    """The splits of each image.  train.txt is the split train; a folder stands for the .txt in it, or is a data set
    that was prepared before.

    Raises WsssError: a file missing or no list, a CSV without a column of splits, nothing in it.
    """
    splits: dict[int, tuple[str, ...]] = {}
    lost = []
    for path in _files(paths):
        rows = list(_rows(path, image_column, finder))
        if not rows:
            raise WsssError(f"{path} is empty", "a list has an image in each line")
        for image, split, where in rows:
            try:
                number = finder.find((image,))
                splits[number] = tuple(dict.fromkeys((*splits.get(number, ()), split)))
            except WsssError as error:
                lost.append((image, WsssError(f"{where}: {error.what}", error.remedy)))
    return Lists(tuple(paths), splits, lost)


def find_lists(root: Path, finder: Finder) -> Lists | None:
    """train.txt, val.txt, ... in or beside the images, or in VOC's ImageSets: of several sets that which names most of
    the images.  None if none of which half is there and half of the images in it, once; the rest is passed over."""
    folders = [above / below for above in (root, root.parent) for below in USUAL]
    found = [lists for folder in dict.fromkeys(folders) if (lists := _lists_in(folder, finder)) is not None]
    return max(found, key=lambda lists: len(lists.splits), default=None)


def _lists_in(folder: Path, finder: Finder) -> Lists | None:
    paths = [path for path in sorted(folder.glob("*.txt")) if meant(path.stem) in MEANT.values()]
    if len({meant(path.stem) for path in paths}) < 2:
        return None
    try:
        lists = read_lists(paths, finder)
    except WsssError:
        return None
    of_train = any("train" in splits for splits in lists.splits.values())
    apart = all(len(splits) == 1 for splits in lists.splits.values())
    most = max(len(lists.lost), len(finder.names) - len(lists.splits)) <= len(lists.splits)
    return replace(lists, lost=[]) if of_train and apart and most else None


def has_splits(path: Path) -> bool:
    """Whether a CSV has a column of splits."""
    return read_table(path).column(SPLIT) is not None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise WsssError(
                f"there is no {path}", "give lists such as train.txt and val.txt, or a CSV, with --split-file"
            )
        lists = sorted(path.glob("*.txt")) if path.is_dir() and not _is_prepared(path) else [path]
        if not lists:
            raise WsssError(f"{path} holds no .txt", "give a folder of lists such as train.txt and val.txt")
        yield from lists


def _is_prepared(folder: Path) -> bool:
    return (folder / "dataset.yaml").is_file()


def _rows(path: Path, image_column: str, finder: Finder) -> Iterator[tuple[str, str, str]]:
    """(image, split, where that is said)."""
    if path.is_dir():
        return _prepared(path, finder.names)
    return _table(path, image_column) if path.suffix.lower() in (".csv", ".tsv", *JSON) else _list(path)


def _prepared(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Photos by their paths; those that were written anew into the data set, whose paths say nothing, by their ids."""
    by_id = dict(zip(make_ids(names), names, strict=True))
    for sample in read_samples(folder):
        photo = sample.full.image
        anew = by_id.get(sample.id) if photo.parent == folder / "images" else None
        yield from ((anew or str(photo), split, f"{folder}, image {sample.id}") for split in sample.splits)


def _list(path: Path) -> Iterator[tuple[str, str, str]]:
    """One image per line; in VOC's ImageSets/Main -1, 0 or 1 follows, which is passed over if every line has it."""
    text = read_text(path)
    main = is_main(text)
    lines = enumerate((LINE.sub(r"\1", line.strip()) if main else line for line in text.splitlines()), start=1)
    return ((line.strip(), meant(path.stem), f"{path}, line {n}") for n, line in lines if line.strip())


def _table(path: Path, image_column: str) -> Iterator[tuple[str, str, str]]:
    table = read_table(path)
    column = table.column(SPLIT)
    if column is None:
        raise WsssError(f"{path} has no column of splits; its columns: {', '.join(table.columns)}", "call it 'split'")
    rows = table.images(table.image_column(image_column))
    return ((image, meant(cells[column]), where) for image, where, cells in rows if cells[column])
