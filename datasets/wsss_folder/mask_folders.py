"""Folders of masks among and beside the images: MVTec's ground_truth, VisA's Masks, CamVid's trainannot.  What lies
there is no image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.data.images import opened
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import IMAGES, Found, find_images
from wsss_folder.masks import looks_like_masks, mask_stems
from wsss_folder.split_names import split_of_masks

FOLDERS = frozenset(
    ("ground_truth", "groundtruth", "gt", "mask", "masks", "label", "labels", "annotations", "segmentation",
     "segmentations", "segmentationclass", "segmentationobject", "defect_masks", "ann_dir", "annot",
     "masks_machine", "masks_human")
)  # fmt: skip
OBJECTS = frozenset(("segmentationobject", "masks_human"))
"""VOC's and Supervisely's whose values are not classes, beside folders whose are."""
LOOKED_AT = 8  # pictures of a folder
VALUES, SHARE = 32, 0.98  # so few values have so many of a mask's pixels, even if it was saved as JPEG


def holds_masks(folder: str) -> bool:
    """Whether a folder is called as folders of masks are."""
    return folder.casefold() in FOLDERS or bool(split_of_masks(folder))


def mask_folder(root: Path) -> Path | None:
    """The one folder of masks among the images in root, or beside them; root itself where masks lie in several of its
    folders, or are the images' names with _mask; None if there is none, or several are beside."""
    images = find_images(root)
    inside = of_classes(masks_inside(root, images))
    if len(inside) > 1 or (not inside and looks_like_masks([image.name for image in images])):
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


def masks_inside(root: Path, images: Sequence[Found]) -> dict[Path, frozenset[Path]]:
    """The folders of masks below root, each with its pictures.

    A folder is one if it is called so, at least half of its pictures are named as images beside it are, and they have
    few values: so a folder `mask` of faces is none.
    """
    groups: dict[PurePosixPath, list[Found]] = {}
    for image in images:
        for folder in _named_so(image):
            groups.setdefault(folder, []).append(image)
    found = {root / folder: group for folder, group in groups.items() if _are_masks(folder, group, images)}
    return {folder: frozenset(image.path for image in group) for folder, group in found.items()}


def _named_so(image: Found) -> Iterator[PurePosixPath]:
    """The outermost folder of an image that is called as folders of masks are."""
    parts = PurePosixPath(image.name).parts[:-1]
    numbers = (n for n, part in enumerate(parts) if holds_masks(part))
    yield from (PurePosixPath(*parts[: n + 1]) for n in [*numbers][:1])


def _are_masks(folder: PurePosixPath, group: Sequence[Found], images: Sequence[Found]) -> bool:
    own = {image.name for image in group}
    beside = [i.name for i in images if i.name not in own and PurePosixPath(i.name).is_relative_to(folder.parent)]
    stems = {PurePosixPath(name).stem for name in beside}
    named = sum(not stems.isdisjoint(mask_stems(PurePosixPath(image.name).stem)) for image in group)
    return 2 * named >= len(group) and all(_has_few_values(image.path) for image in group[:LOOKED_AT])


def _has_few_values(path: Path) -> bool:
    """Whether nearly all pixels have one of a few grey values; False for what cannot be opened."""
    try:
        with opened(path, path) as image:
            counts = np.sort(np.asarray(image.convert("L").histogram()))
    except (WsssError, OSError, ValueError):
        return False
    return bool(counts[-VALUES:].sum() >= SHARE * counts.sum())
