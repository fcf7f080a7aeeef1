"""Folders of masks among and beside the images: MVTec's ground_truth, CamVid's trainannot, ISIC's ..._GroundTruth.

What lies there is no image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath

from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_folder.affixes import Rule, rules, tells_role
from wsss_folder.catalogue import IMAGES, Found, find_images
from wsss_folder.few_values import are_masks, hold_labels
from wsss_folder.masks import looks_like_masks, mask_stems
from wsss_folder.split_names import split_of_masks
from wsss_folder.twins import NAMED, find_twins

FOLDERS = frozenset(
    ("ground_truth", "groundtruth", "gt", "mask", "masks", "label", "labels", "annotations", "segmentation",
     "segmentations", "segmentationclass", "segmentationobject", "defect_masks", "ann_dir", "annot",
     "masks_machine", "masks_human")
)  # fmt: skip
OBJECTS = frozenset(("segmentationobject", "masks_human"))
"""VOC's and Supervisely's whose values are not classes, beside folders whose are."""
SIBLINGS = 64  # folders in one that are compared with each other: more are classes
TOP = PurePosixPath()


@dataclass(frozen=True)
class Inside:
    """The pictures in a folder of masks, and below which folder their images lie, "" for that of all."""

    pictures: frozenset[Path]
    images: str


def holds_masks(folder: str) -> bool:
    """Whether a folder is called as folders of masks are."""
    return folder.casefold() in FOLDERS or bool(split_of_masks(folder))


def mask_folder(root: Path) -> Path | None:
    """The one folder of masks among the images in root, or beside them; root itself where masks lie in several of its
    folders, or beside their images; None if there is none, or several are beside."""
    images = find_images(root)
    inside = of_classes(masks_inside(root, images))
    if len(inside) > 1 or (not inside and (looks_like_masks([image.name for image in images]) or find_twins(images))):
        return root
    return inside[0] if inside else masks_beside(root)


def masks_beside(root: Path) -> Path | None:
    """The one folder of masks beside that of the images; None if there is none, or several."""
    found = [
        path
        for path in (sorted(root.parent.iterdir()) if root.name.casefold() in IMAGES else ())
        if path.name.casefold() in FOLDERS - OBJECTS and path.is_dir() and next(files_below(path, ENDINGS), None)
    ]
    return found[0] if len(found) == 1 else None


def of_classes(folders: Iterable[Path]) -> list[Path]:
    """Folders of masks without those whose values are not classes."""
    return [path for path in folders if path.name.casefold() not in OBJECTS]


def masks_inside(
    root: Path, images: Sequence[Found], known: Set[str] = frozenset(), usual: bool = False
) -> dict[Path, Inside]:
    """The folders of masks below root.

    A folder is one if it is called so, at least half of its pictures are named as images beside it are, and most may be
    masks: so a folder `mask` of faces is none. One that is called otherwise lies beside that of the images, its name or
    those of its pictures tell what they are, and nearly all have the names and the size of these and look like masks.

    known  names of images, which are no masks;  usual  folders that are called so alone
    """
    called: dict[PurePosixPath, list[Found]] = {}
    for image in images:
        for folder in _named_so(image):
            called.setdefault(folder, []).append(image)
    below = _by_folder(images)
    called = {folder: group for folder, group in called.items() if _are_masks(group, below[folder.parent])}
    hidden = {image.name for group in called.values() for image in group}
    found = {folder: (group, folder.parent) for folder, group in called.items()}
    found |= {} if usual else _paired([image for image in images if image.name not in hidden])
    return {
        root / folder: Inside(frozenset(image.path for image in group), "" if of == TOP else of.as_posix())
        for folder, (group, of) in found.items()
        if known.isdisjoint(image.name for image in group)
    }


def _named_so(image: Found) -> Iterator[PurePosixPath]:
    """The outermost folder of an image that is called as folders of masks are."""
    parts = PurePosixPath(image.name).parts[:-1]
    numbers = (n for n, part in enumerate(parts) if holds_masks(part))
    yield from (PurePosixPath(*parts[: n + 1]) for n in [*numbers][:1])


def _are_masks(group: Sequence[Found], around: Sequence[Found]) -> bool:
    """Whether the pictures of a folder are masks of others around it, or of the one that is there."""
    own = {image.name for image in group}
    stems = {PurePosixPath(image.name).stem for image in around if image.name not in own}
    named = sum(not stems.isdisjoint(mask_stems(PurePosixPath(image.name).stem)) for image in group)
    alone = len(around) == len(group) + 1
    return (alone or 2 * named >= len(group)) and hold_labels(group)


def _by_folder(images: Sequence[Found]) -> dict[PurePosixPath, list[Found]]:
    """The images below each folder."""
    below: dict[PurePosixPath, list[Found]] = {}
    for image in images:
        for folder in PurePosixPath(image.name).parents:
            below.setdefault(folder, []).append(image)
    return below


def _paired(images: Sequence[Found]) -> dict[PurePosixPath, tuple[list[Found], PurePosixPath]]:
    """Folders of masks that their own names or those of their pictures tell, and that of their images beside each."""
    inside: dict[PurePosixPath, dict[PurePosixPath, list[Found]]] = {}
    for folder, group in _by_folder(images).items():
        if folder != TOP:
            inside.setdefault(folder.parent, {})[folder] = group
    found: dict[PurePosixPath, tuple[list[Found], PurePosixPath]] = {}
    for folders in inside.values():
        for folder in folders if len(folders) <= SIBLINGS else ():
            if tells_role(folder.name) or any(tells_role(PurePosixPath(one.name).stem) for one in folders[folder]):
                others = {other: group for other, group in folders.items() if other != folder and other not in found}
                of = _images_of(folder, folders[folder], others)
                found |= {folder: (folders[folder], of)} if of is not None else {}
    return found


def _images_of(
    folder: PurePosixPath, group: Sequence[Found], others: Mapping[PurePosixPath, Sequence[Found]]
) -> PurePosixPath | None:
    """The folder of which the pictures of another are the masks; None if they are none."""
    masks = {_below(mask, folder): mask for mask in group}
    alike = {other: SequenceMatcher(None, folder.name, other.name).ratio() for other in others}
    for other in sorted(others, key=lambda other: -alike[other]):  # train_lab is of train_img, not of test_img
        images = {_below(image, other): image for image in others[other]}
        known = [*([Rule()] if tells_role(folder.name) else []), *rules([*masks], [*images])]
        of = {name: image for rule in reversed(known) for name in masks if (image := rule.image(name)) in images}
        pairs = [(masks[name], images[image]) for name, image in of.items() if image is not None]
        if len(pairs) > 1 and len(pairs) >= NAMED * len(group) and are_masks(pairs):
            return other
    return None


def _below(image: Found, folder: PurePosixPath) -> str:
    """The path of an image below a folder, without ending."""
    return PurePosixPath(image.name).relative_to(folder).with_suffix("").as_posix()
