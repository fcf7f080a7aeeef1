"""Tags from folders of sound and of defective pieces: good/ and bad/, or train/good, test/DEFECT as MVTec has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source
from wsss_folder.split_names import MEANT, meant

SOUND = ("good", "normal", "ok", "nominal")
MASKS = "ground_truth"  # MVTec's folder of masks: MASKS/DEFECT/000_mask.png
ONE = "defect"  # the class of all defects, where they are one


def read_defects(root: Path, names: Sequence[str], one: bool) -> Source:
    """A good image has no tag; any other has that of its folder, or, with `one`, the tag "defect".

    Raises WsssError: an image in no such folder, no good image, or no defect.
    """
    tags = {name: _tags(root, name, one) for name in names}
    if len(set(map(bool, tags.values()))) < 2:
        missing = "no folder of good images" if all(tags.values()) else "no folder of images with a defect"
        raise WsssError(
            f"--defects: {root} has {missing}", "the layout is good/ and bad/, or test/good and test/DEFECT"
        )
    records = [Record((name,), str(root / name), of) for name, of in tags.items()]
    note = ("train/ holds good images only: the folders are not used as splits",) if learns_nothing(tags) else ()
    return Source("folders of defects", root, records, notes=note)


def learns_nothing(tags: Mapping[str, Collection[str]]) -> bool:
    """Whether the images in train/ are all good, as MVTec's are: tags teach nothing there."""
    train = [of for name, of in tags.items() if meant(name.partition("/")[0]) == "train"]
    return bool(train) and not any(train)


def mask_folder(root: Path) -> Path | None:
    """MVTec's folder of masks, in or beside the images."""
    return next((path for path in (root / MASKS, root.parent / MASKS) if path.is_dir()), None)


def is_sound(folder: str) -> bool:
    return folder.casefold() in SOUND


def holds_sound(names: Iterable[str]) -> bool:
    """Whether some images lie in a folder good, normal, ..."""
    return any(is_sound(folder) for name in names for folder in name.split("/")[:-1])


def _tags(root: Path, name: str, one: bool) -> tuple[str, ...]:
    folders = [folder for folder in name.split("/")[:-1] if meant(folder) not in MEANT.values()]
    if not folders:
        raise WsssError(
            f"--defects: {root / name} is in no folder", "put it into good/, or into a folder of its defect"
        )
    return () if any(map(is_sound, folders)) else (ONE if one else folders[-1],)
