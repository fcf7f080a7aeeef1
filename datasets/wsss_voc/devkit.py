"""The folders and lists of a VOC devkit.

VOC2012/ holds JPEGImages/<id>.jpg, Annotations/<id>.xml, SegmentationClass[Aug]/<id>.png and
ImageSets/Segmentation/<list>.txt: one id per line, or the paths of image and mask in two columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_cli.names import require_path
from wsss_cli.nearest import nearest
from wsss_cli.sound import open_text

IMAGES, ANNOTATIONS, LISTS = "JPEGImages", "Annotations", "ImageSets/Segmentation"
MASKS = ("SegmentationClassAug", "SegmentationClass")


@dataclass(frozen=True)
class Entry:
    """One image of the lists; mask is the path a list gives in its second column."""

    id: str
    image: Path
    mask: Path | None = None
    splits: tuple[str, ...] = ()

    @classmethod
    def of(cls, id: str, devkit: Path) -> Entry:
        """The entry of an image that is known by its id alone."""
        return cls(id, devkit / IMAGES / f"{id}.jpg")


Lists = dict[str, list[Entry]]
"""Lists by name."""


def find_devkit(root: Path) -> Path:
    """The VOC2012 folder: root itself or inside it.  Raises WsssError telling what is missing."""
    candidates = [root, *(root / sub for sub in ("VOC2012", "VOCdevkit/VOC2012"))]
    for folder in candidates:
        if all((folder / sub).is_dir() for sub in (IMAGES, ANNOTATIONS, LISTS)):
            return folder
    closest = next((c for c in candidates if (c / IMAGES).is_dir()), root)
    if not closest.is_dir():
        raise WsssError(f"there is no folder {closest}", "give the devkit's folder VOC2012 with --root")
    missing = [sub for sub in (IMAGES, ANNOTATIONS, LISTS) if not (closest / sub).is_dir()]
    raise WsssError(
        f"{closest} is no VOC devkit: it has no {', no '.join(missing)}",
        "give the folder VOC2012 (or VOCdevkit above it) of the unpacked VOCtrainval_11-May-2012.tar with --root",
    )


def read_lists(devkit: Path) -> Lists:
    """Every list by its name."""
    return {path.stem: read_list(path, devkit) for path in sorted((devkit / LISTS).glob("*.txt"))}


def own_lists(names: Iterable[str], devkit: Path) -> Lists:
    """Those of the names that are files, FILE.txt, by the name that each has as a split.

    Raises WsssError if one cannot be read, or two of one name are not the same file.
    """
    lists: dict[str, Path] = {}
    for path in (Path(name) for name in names if is_file(name)):
        if lists.setdefault(path.stem, path) != path:
            raise WsssError(f"{lists[path.stem]} and {path} would both be split '{path.stem}'", "rename one of them")
    return {name: read_list(path, devkit) for name, path in lists.items()}


def is_file(name: str) -> bool:
    """Whether a list is named by its file, not by its name in the devkit."""
    return name.endswith(".txt")


def merge(lists: Lists) -> dict[str, Entry]:
    """Every image of every list by id, with the names of the lists it is on, in the order of train, val, others."""
    entries: dict[str, Entry] = {}
    for name in sorted(lists, key=lambda name: (name not in ("train", "val"), name)):
        for new in lists[name]:
            old = entries.get(new.id, new)
            entries[new.id] = replace(old, mask=old.mask or new.mask, splits=(*old.splits, name))
    return entries


def train_aug(masked: set[str], val: set[str]) -> list[str]:
    """The field's training list: every image with a mask but those of val.

    VOC's 2,913 masks and SBD's 11,355 are of 12,031 images; without the 1,449 of val they are 10,582.
    """
    return sorted(masked - val)


def read_list(path: Path, devkit: Path) -> list[Entry]:
    """The entries of one list, without splits.  Raises WsssError for an id given twice or a line of no form."""
    entries: dict[str, Entry] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        entry = _entry(line.split(), devkit, f"{path}, line {number}")
        if entry.id in entries:
            raise WsssError(f"{path}, line {number}: '{entry.id}' is on the list twice", "remove one of the lines")
        entries[entry.id] = entry
    return list(entries.values())


def choose_list(name: str, role: str, lists: Lists, devkit: Path) -> str:
    """The name of the list that plays `role`; "auto" is train_aug or train.  Raises WsssError if missing or empty."""
    if name == "auto":
        name = "train_aug" if "train_aug" in lists else "train"
    path = Path(name) if is_file(name) else devkit / LISTS / f"{name}.txt"
    name = path.stem
    if name not in lists:
        raise WsssError(
            f"{path} is missing{nearest(name, lists)}",
            f"put the list there, or name another with --{role}; lists found: {', '.join(lists) or 'none'}",
        )
    if not lists[name]:
        raise WsssError(f"{path} is empty, but is to be the {role} split", f"fill it, or name another with --{role}")
    return name


def choose_masks(choice: str, devkit: Path) -> Path:
    """The folder of the masks.  Raises WsssError if there is none."""
    wanted = MASKS if choice == "auto" else (choice,)
    for name in wanted:
        if (devkit / name).is_dir():
            return devkit / name
    raise WsssError(f"{devkit} has no folder {' or '.join(wanted)}", "put the masks there: scores need them")


def _text(path: Path) -> str:
    try:
        with open_text(path, "utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise WsssError(f"{path} cannot be read: {error}", "a list is UTF-8 text, one id per line") from error


def _entry(columns: list[str], devkit: Path, where: str) -> Entry:
    for column in columns:
        require_path(column.lstrip("/"), f"{where}:", "correct the line")
    first = Path(columns[0])
    if len(columns) == 1 and not first.suffix:
        return Entry.of(columns[0], devkit)
    paths = [devkit / column.lstrip("/") for column in columns]  # such lists write /JPEGImages/...
    if len(columns) <= 2 and all(p.suffix for p in paths):
        return Entry(first.stem, paths[0], paths[1] if len(paths) == 2 else None)
    raise WsssError(f"{where}: '{' '.join(columns)}' is neither an id nor 'image mask'", "correct the line")
