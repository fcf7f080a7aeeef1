"""What lies below --images: pictures to learn from, and masks among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wsss_folder.catalogue import Found, find_images
from wsss_folder.config import Options
from wsss_folder.defect_folders import MASKS
from wsss_folder.ground_truth import MaskFolder
from wsss_folder.mask_folders import masks_inside, of_classes
from wsss_folder.masks import looks_like_masks
from wsss_folder.twins import find_twins


@dataclass(frozen=True)
class Pictures:
    """What lies below --images.

    masks   where masks are looked for: each folder with the files that are masks there, None for all, and the folder of
            the images that they are of, "" for any
    unused  folders of masks that nothing asks for;  twins  how many pictures are masks of images beside them
    """

    images: list[Found]
    masks: list[MaskFolder]
    unused: tuple[Path, ...] = ()
    twins: int = 0


def find_pictures(options: Options, root: Path) -> Pictures:
    """The pictures below root, the folder of the images.  Raises WsssError if there is none."""
    among = options.masks is not None and options.masks.is_dir() and options.masks.samefile(root)
    images = find_images(root, [options.masks] if options.masks and not among else [])
    inside = masks_inside(root, images)
    hidden = frozenset(path for one in inside.values() for path in one.pictures)
    images = [image for image in images if image.path not in hidden]
    own: list[MaskFolder] = [(path, None, inside[path].images) for path in of_classes(inside)]
    twins = find_twins(images)
    rest = [image for image in images if image.name not in twins]
    if among and options.masks is not None:
        named = twins | looks_like_masks([image.name for image in images])
        paths = frozenset(image.path for image in images if image.name in named)
        beside: list[MaskFolder] = [(options.masks, paths, "")] if paths or not own else []
        return Pictures([image for image in images if image.name not in named], [*own, *beside])
    if options.masks is not None:
        return Pictures(rest, [(options.masks, None, "")], tuple(inside), len(twins))
    if options.defects == "no":
        return Pictures(rest, [], tuple(inside), len(twins))
    outside = [(path, None, "") for path in [root.parent / MASKS] if path.is_dir() and not inside]
    return Pictures(rest, [*own, *outside], (), len(twins))
