"""The options of `wsss prepare folder` for a folder of which nothing more is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsss_folder.catalogue import image_folder
from wsss_folder.config import Options
from wsss_folder.mask_folders import mask_folder
from wsss_folder.matching import Finder
from wsss_folder.pictures import find_pictures
from wsss_folder.recognise import Asked, recognise
from wsss_folder.yolo_names import find_names


def options(folder: Path) -> Options:
    """As with --images alone, and the masks that lie in or beside the images: to score on, or to learn from alone.

    Annotations that are found are named, so that it is known of which files the data set is made.
    Raises WsssError if there is no image, and for several sources of annotations.
    """
    root = image_folder(folder)
    masks = mask_folder(root)
    images = find_pictures(Options(images=folder, masks=masks), root).images
    found = recognise(root, Finder([image.name for image in images]))
    return Options(images=folder, masks=masks, tags_from_masks=masks is not None and not found, **_asked(found, root))


def _asked(found: Sequence[Asked], root: Path) -> dict[str, Any]:
    """The options that stand for the one source that was recognised; folders that are classes are the images' own."""
    paths = tuple(path for _, path in found)
    match found[0][0] if found else "class-folders":
        case "class-folders" | "tags-in-names":
            return {}
        case "yolo":
            return {"yolo": paths[0], "names": find_names(paths[0], (root, root.parent))}
        case "xml" | "labelme" | "supervisely" | "geojson" as option:
            return {option: paths[0]}
        case option:
            return {option.replace("-", "_"): paths}
