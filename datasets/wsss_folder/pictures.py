"""What lies below --images: pictures to learn from, and masks among them."""

from __future__ import annotations

from collections.abc import Set
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
    hidden  names of pictures that are masks
    unused  folders of masks that nothing asks for;  twins  names of pictures that are masks of images beside them
    """

    images: list[Found]
    masks: list[MaskFolder]
    hidden: frozenset[str] = frozenset()
    unused: tuple[Path, ...] = ()
    twins: tuple[str, ...] = ()


def find_pictures(options: Options, root: Path, known: Set[str] = frozenset()) -> Pictures:
    """The pictures below root, the folder of the images.  Raises WsssError if there is none.

    known  names of pictures that annotations have: they are images, whatever they look like
    """
    among = options.masks is not None and options.masks.is_dir() and options.masks.samefile(root)
    images = find_images(root, [options.masks] if options.masks and not among else [])
    told = options.defects != "no" or options.class_folders is True  # what the folders are
    inside = masks_inside(root, images, known, usual=told)
    hidden = frozenset(path for one in inside.values() for path in one.pictures)
    visible = [image for image in images if image.path not in hidden]
    twins = find_twins(visible, known, usual=told)
    own: list[MaskFolder] = [(path, None, inside[path].images) for path in of_classes(inside)]
    if among and options.masks is not None:
        twins |= looks_like_masks([image.name for image in visible]) - known
        paths = frozenset(image.path for image in visible if image.name in twins)
        asked = [*own, *([(options.masks, paths, "")] if paths or not own else [])]
    elif options.masks is not None:
        asked = [(options.masks, None, "")]
    elif options.defects != "no":
        asked = [*own, *((path, None, "") for path in [root.parent / MASKS] if path.is_dir() and not inside)]
    else:
        asked = []
    rest = [image for image in visible if image.name not in twins]
    unused = () if among or (options.masks is None and options.defects != "no") else tuple(inside)
    masks = {image.name for image in images} - {image.name for image in rest}
    return Pictures(rest, asked, frozenset(masks), unused, () if among else tuple(sorted(twins)))
