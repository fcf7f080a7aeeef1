"""Tags from folders: IMAGES/CLASS/..., or IMAGES/train/CLASS/... below folders of splits."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from wsss_cli.errors import WsssError
from wsss_folder.defect_folders import holds_sound
from wsss_folder.record import Record, Source
from wsss_folder.split_names import split_folders, split_of_file, told_by


def class_of(name: str, below: bool) -> str | None:
    """The folder that names the class, the first or, `below` a split's, the second; None if there is none."""
    folders = name.split("/")[:-1][int(below) :]
    return folders[0] if folders else None


def read_class_folders(root: Path, names: Sequence[str]) -> Source:
    """One tag per image; images outside every class folder get none.  Raises WsssError if there is no class folder."""
    below = split_folders(names) is not None
    tagged = [(name, tag) for name in names if (tag := class_of(name, below)) is not None]
    if not tagged:
        raise WsssError(f"{root} has no folder per class", "put the images of each class into a folder: IMAGES/CLASS/")
    records = [Record((name,), str(root / name), (tag,)) for name, tag in tagged]
    hint = ("if the images in good/ or normal/ hold no class, say --defects kinds",) if holds_sound(names) else ()
    return Source("a folder per class", root, records, notes=hint)


def looks_so(names: Sequence[str]) -> bool:
    """Whether every image lies in one of several class folders: neither one for each split nor one for each image."""
    below = split_folders(names) is not None
    tags = {class_of(name, below) or "" for name in names}
    alone = all(PurePosixPath(name).stem == class_of(name, below) for name in names)  # ID/images/ID.png
    return "" not in tags and len(tags) > 1 and not alone and not _are_splits(tags)


def _are_splits(folders: Collection[str]) -> bool:
    """Whether folders are called alike but for their splits: train_img and val_img."""
    rests = {tuple(part for part in re.split(r"[\W_]+", folder) if not told_by([part])) for folder in folders}
    return len(rests) == 1 and all(split_of_file(Path(folder)) for folder in folders)
