"""Tags from folders of sound and of defective pieces: good/ and bad/, or train/good, test/DEFECT as MVTec has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from wsss_cli.checks.finding import some
from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source
from wsss_folder.split_names import MEANT, meant

SOUND = ("good", "normal", "ok", "nominal")
PRIVATE = "of a private test set"  # why an image has no label
MASKS = "ground_truth"  # MVTec's folder of masks: MASKS/DEFECT/000_mask.png
ONE = "defect"  # the class of all defects, where they are one


def read_defects(root: Path, names: Sequence[str], one: bool) -> Source:
    """A good image has no tag; any other has that of its folder, or, with `one`, the tag "defect".

    Where several data sets lie beside each other, as MVTec's objects, a folder of defects is DATA SET/DEFECT.
    Raises WsssError: an image in no such folder, no good image, or no defect.
    """
    several = categories(names)
    tags = {name: _tags(root, name, one, bool(several)) for name in names if not _is_private(name)}
    if len(set(map(bool, tags.values()))) < 2:
        missing = "no folder of good images" if all(tags.values()) else "no folder of images with a defect"
        raise WsssError(
            f"--defects: {root} has {missing}", "the layout is good/ and bad/, or test/good and test/DEFECT"
        )
    records = [
        Record((name,), str(root / name), tags.get(name, ()), unlabelled="" if name in tags else PRIVATE)
        for name in names
    ]
    return Source("folders of defects", root, records, notes=tuple(_notes(tags, several)))


def _notes(tags: Mapping[str, Collection[str]], several: Sequence[str]) -> Iterator[str]:
    if several:
        yield f"{len(several)} data sets of good and defective pieces are taken as one: {some(several)}"
    if learns_nothing(tags):
        yield "train/ holds good images only: the folders are not used as splits"


def learns_nothing(tags: Mapping[str, Collection[str]]) -> bool:
    """Whether the images in train/ are all good, as MVTec's are: tags teach nothing there."""
    train = [of for name, of in tags.items() if "train" in map(meant, name.split("/")[:-1])]
    return bool(train) and not any(train)


def categories(names: Iterable[str]) -> tuple[str, ...]:
    """The outermost folders, if there are several and each of them holds good images and others: MVTec's objects."""
    kinds: dict[str, set[bool]] = {}
    for name in names:
        first, *rest = name.split("/")[:-1] or [""]
        if rest and not _is_private(name):
            kinds.setdefault("" if _is_split(first) else first, set()).add(any(map(is_sound, rest)))
    whole = all(len(found) == 2 for found in kinds.values())
    return tuple(sorted(kinds)) if whole and len(kinds) > 1 and "" not in kinds else ()


def is_sound(folder: str) -> bool:
    return folder.casefold() in SOUND


def holds_sound(names: Iterable[str]) -> bool:
    """Whether some images lie in a folder good, normal, ..."""
    return any(is_sound(folder) for name in names for folder in name.split("/")[:-1])


def _is_private(name: str) -> bool:
    """Whether an image is of a test set whose labels are kept back, as MVTec AD 2 has them."""
    return any(folder.casefold().startswith("test_private") for folder in name.split("/")[:-1])


def _is_split(folder: str) -> bool:
    return meant(folder) in MEANT.values() or folder.casefold() == "test_public"


def _tags(root: Path, name: str, one: bool, several: bool) -> tuple[str, ...]:
    folders = [folder for folder in name.split("/")[:-1] if not _is_split(folder)]
    if len(folders) < 1 + several:
        raise WsssError(
            f"--defects: {root / name} is in no folder", "put it into good/, or into a folder of its defect"
        )
    if any(map(is_sound, folders)):
        return ()
    return (ONE if one else f"{folders[0]}/{folders[-1]}" if several else folders[-1],)
