"""What lies in and beside the images: which sources of annotations, in which formats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from wsss_cli.checks.finding import some
from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.errors import WsssError
from wsss_folder import class_folders, name_tags
from wsss_folder.defect_folders import categories
from wsss_folder.documents import read_head, read_text
from wsss_folder.foreign import foreign_files, what_annotations
from wsss_folder.geojson import ENDING as GEOJSON
from wsss_folder.json_rows import LINES
from wsss_folder.label_studio_min import TABLES, is_min
from wsss_folder.matching import Finder
from wsss_folder.object_table import find_objects, split_both
from wsss_folder.one_hot import class_columns, holds_numbers
from wsss_folder.pascal_xml import xml_files
from wsss_folder.split_names import MEANT, meant, split_of_file
from wsss_folder.supervisely import project_of
from wsss_folder.table import IMAGE, JSON, plain, read_table
from wsss_folder.tags_csv import tags_column
from wsss_folder.via import COLUMN, COLUMN_3, is_via
from wsss_folder.yolo_txt import begins_as_label, label_files, label_names

BESIDE = ("labels", "annotations", "xml", "xmls", "labelme", "json", "jsons", "geojson")
"""Folders that are looked into in and beside that of the images."""
OTHER_TASKS = ("captions_", "image_info_", "panoptic_", "person_keypoints_", "stuff_")
"""How COCO's files beside those of instances begin."""
HEAD = 1 << 16  # bytes of a file that are looked at
OBJECT = 4096  # characters in which an object of a JSON names its image
SUBMISSION = re.compile(r"(sample[-_]?)?submission", re.IGNORECASE)  # what a competition wants, no annotation
SHEETS = (".xlsx", ".xls", ".ods", ".parquet", ".mat", ".h5")  # of other programs
TRIED = 200  # files of a folder that are looked at

Asked = tuple[str, Path]  # option of `wsss prepare folder`, and what to give it


def recognise(root: Path, finder: Finder) -> list[Asked]:
    """The one source in or beside the images, which may have a file for each split; [] if there is none.

    Raises WsssError if there are several: which are wanted must be said.
    """
    project = project_of(root)
    found = [("supervisely", project)] if project else list(dict.fromkeys(_candidates(root, finder)))
    stray = bool(found) and all(path.suffix.lower() in JSON and option == "tags" for option, path in found)
    if stray and class_folders.looks_so(finder.names):
        found.append(("class-folders", root))
    if len(found) > 1 and not _of_splits(found):
        shown = "; ".join(f"--{option} {path}" for option, path in found)
        raise WsssError(
            f"there are {len(found)} sources of annotations: {shown}",
            "give those to use as options; several are added up",
        )
    if not found:
        found = _in_splits(root, finder)
    if not found and categories(finder.names):
        raise WsssError(
            f"{root} holds data sets of good and defective pieces, as MVTec's: {some(categories(finder.names))}",
            "say --defects kinds or --defects one for all of them, or give one of these folders with --images",
        )
    if not found and name_tags.looks_so(finder.names):
        return [("tags-in-names", root)]
    if not found and class_folders.looks_so(finder.names) and not next(foreign_files(root), None):
        return [("class-folders", root)]
    return found


def passed_over(root: Path, finder: Finder) -> Iterator[str]:
    """Why files in or beside the images are no source, each in a sentence."""
    beside = [path for path in root.parent.iterdir() if path.name.casefold() in (*BESIDE, "ann") and path.is_dir()]
    told = [text for folder in dict.fromkeys((root, *beside)) for text in foreign_files(folder)]
    yield from told
    for path in sorted(path for folder in (root, root.parent) for path in folder.iterdir() if path.is_file()):
        if path.name.startswith(".") or what_annotations(path):
            continue
        if path.suffix.lower() in (*TABLES, *SHEETS, *LINES):
            yield _why_no_tags(path, finder)


def _why_no_tags(path: Path, finder: Finder) -> str:
    try:
        read_text(path)
        table = split_both(read_table(path))
        key = table.image_column()
    except WsssError as error:
        return f"{error.what} ({error.remedy})"
    images = [cells[key] for _, cells in table.rows[:TRIED] if cells[key]]
    known = any(finder.knows(image) for image in images)
    return f"{path} has no column of tags" if known else f"{path} names no image that is there: {some(images[:1])}"


def _candidates(root: Path, finder: Finder) -> Iterator[Asked]:
    inside = _usual_folders(root)
    outside = [path for path in _usual_folders(root.parent) if not path.samefile(root)]
    for folder in (root, *inside, root.parent, *outside):
        files = sorted(folder.iterdir())
        if any(path.name.startswith("instances_") for path in files):
            files = [path for path in files if not path.name.startswith(OTHER_TASKS)]
        for path in files:
            option = _format(path, finder)
            if option:
                yield option, path
    for folder in (root, *outside):
        if _holds_yolo(folder, finder):
            yield "yolo", folder
        if _holds_pascal(folder):
            yield "xml", folder
        if _holds_labelme(folder):
            yield "labelme", folder
        if next(files_below(folder, (GEOJSON,)), None):
            yield "geojson", folder
    yield from (("geojson", path) for path in sorted(root.parent.glob(f"*{GEOJSON}")))


def _usual_folders(root: Path) -> list[Path]:
    """The folders of annotations in a folder, called so in any case."""
    return [path for path in sorted(root.iterdir()) if path.name.casefold() in BESIDE and path.is_dir()]


def _of_splits(found: Sequence[Asked]) -> bool:
    """Whether they are files of one format in one folder, each named after another split, as COCO's are."""
    splits = [split_of_file(path) for _, path in found]
    alike = len({(option, path.parent) for option, path in found}) == 1
    return alike and all(splits) and len(set(splits)) == len(splits)


def _in_splits(root: Path, finder: Finder) -> list[Asked]:
    """The one file, of one format, in each of the folders train, valid, ... of the images, as Roboflow writes them."""
    folders = [path for path in sorted(root.iterdir()) if path.is_dir() and meant(path.name) in MEANT.values()]
    found = [(option, path) for f in folders for path in sorted(f.iterdir()) if (option := _format(path, finder))]
    alike = len({option for option, _ in found}) == 1
    return found if alike and len({path.parent for _, path in found}) == len(found) else []


def _format(path: Path, finder: Finder) -> str | None:
    """The option that reads a single file of annotations; None if it is none."""
    ending = path.suffix.lower()
    if path.name.startswith(".") or SUBMISSION.match(path.name) or not path.is_file():
        return None
    if ending == ".csv" and any(column in _head(path) for column in (COLUMN, COLUMN_3)):
        return "via"
    if ending in TABLES and is_label_studio(path):
        return "label-studio"
    if ending in TABLES:
        return "tags" if _is_tags(path, finder) else None
    if ending in JSON and not what_annotations(path):
        return _json_format(path, finder)
    return "cvat" if ending == ".xml" and _root(path) == "annotations" else None


def _is_tags(path: Path, finder: Finder) -> bool:
    """A table of which one of the first rows names an image, with a column of tags or 0/1 columns."""
    try:
        table = split_both(read_table(path))
        key = table.image_column()
    except WsssError:
        return False
    rest = class_columns(table, key)
    objects = find_objects(table, key, None) is not None
    rows = (cells[key] for _, cells in table.rows[:TRIED] if cells[key])
    named = any(finder.knows(f"{path.parent.name}/{image}", image) for image in rows)
    tags = objects or tags_column(table, key) is not None or all(holds_numbers(table, c) for c in rest)
    return named and bool(rest) and tags


def is_label_studio(path: Path) -> bool:
    """Whether a CSV or TSV is an export of Label Studio, by its columns."""
    try:
        return is_min(read_table(path).columns)
    except WsssError:
        return False


def _json_format(path: Path, finder: Finder) -> str | None:
    head = _head(path)
    start, key = head.lstrip()[:1], re.match(r'\s*\{\s*"([^"]+)"\s*:', head)
    if start == "{" and is_via(head):
        return "via"
    table = path.suffix.lower() in LINES or (key is not None and Path(key[1]).suffix.lower() in ENDINGS)
    if not table and start == "{" and re.search(r'"(images|annotations|categories)"\s*:\s*\[', head):
        return "coco"
    full = '"data"' in head and ('"annotations"' in head or '"completions"' in head)
    if start == "[" and (full or '"annotation_id"' in head):
        return "label-studio"
    return "tags" if (table or _lists_images(head)) and _is_tags(path, finder) else None


def _lists_images(head: str) -> bool:
    """Whether a JSON begins with a list of objects that name an image."""
    known = {plain(name) for name in IMAGE}
    keys = re.findall(r'"([^"]+)"\s*:', head[:OBJECT])
    return re.match(r"\s*\[\s*\{", head) is not None and any(plain(key) in known for key in keys)


def _holds_yolo(folder: Path, finder: Finder) -> bool:
    """Whether a .txt there has the name of an image and holds numbers."""
    files = islice(label_files(folder), TRIED)
    return any(begins_as_label(path) and finder.has(*label_names(path, folder)) for path in files)


def _holds_pascal(folder: Path) -> bool:
    files: Sequence[Path] = list(islice(xml_files(folder), TRIED))
    return any(_root(path) == "annotation" for path in files)


def _holds_labelme(folder: Path) -> bool:
    files = islice(files_below(folder, (".json",)), TRIED)
    return any(re.search(r'^\s*{.*"shapes"\s*:\s*\[', _head(path), re.DOTALL) is not None for path in files)


def _root(path: Path) -> str | None:
    """The name of an XML's outermost element."""
    head = re.sub(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>", "", _head(path), flags=re.DOTALL)
    found = re.match(r"\s*<([\w:-]+)", head)
    return found[1] if found else None


def _head(path: Path) -> str:
    return read_head(path, HEAD)
