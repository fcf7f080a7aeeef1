"""Read the sources that were asked for, or the one that is there, and tell what they say of each image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wsss_cli.data.images import image_size
from wsss_cli.data.label_format import label_format
from wsss_cli.data.picture import Reading
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_folder import name_tags
from wsss_folder.catalogue import Found
from wsss_folder.class_folders import read_class_folders
from wsss_folder.coco_json import read_coco
from wsss_folder.config import Options
from wsss_folder.cvat_xml import read_cvat
from wsss_folder.defect_folders import read_defects
from wsss_folder.documents import read_text
from wsss_folder.empty_boxes import drop_empty
from wsss_folder.geojson import Pictures, read_geojson
from wsss_folder.ignored import mark_ignored
from wsss_folder.label_studio import read_label_studio
from wsss_folder.label_studio_min import TABLES
from wsss_folder.labelme_json import read_labelme
from wsss_folder.mask_values import is_no_class
from wsss_folder.matching import Finder
from wsss_folder.object_table import SizeOf
from wsss_folder.open_images import with_names
from wsss_folder.pascal_xml import read_pascal
from wsss_folder.recognise import TRIED, Asked, is_label_studio, recognise
from wsss_folder.record import Record, Source
from wsss_folder.split_lists import has_splits
from wsss_folder.split_names import SPLITS, split_of_file, told_by
from wsss_folder.supervisely import read_supervisely
from wsss_folder.tags_csv import read_tags
from wsss_folder.tags_npy import read_npy
from wsss_folder.via import read_via
from wsss_folder.voc_main import read_main
from wsss_folder.yolo_names import read_names
from wsss_folder.yolo_txt import read_yolo


@dataclass(frozen=True)
class Known:
    """records of each image, in the order of the images; lost  (what the record was for, why) of those of no image."""

    records: list[list[Record]]
    lost: list[tuple[str, WsssError]]

    def tags(self, number: int) -> frozenset[str]:
        """The classes of an image; boxes imply tags."""
        records = self.records[number]
        names = {name for record in records for name in (*record.tags, *(thing.name for thing in record.things))}
        return frozenset(name for name in names if not is_no_class(name))


def read_sources(options: Options, root: Path, images: Sequence[Found], finder: Finder) -> list[Source]:
    """The sources given as options; if there are none, the one in or beside the images.  Raises WsssError."""
    asked, classes = _asked(options, root), _named(options)
    found = [] if asked else recognise(root, finder)
    asked = asked or [one for one in found if one[0] != "class-folders" or options.class_folders is None]
    sources = [_read(option, path, options, root, images, finder) for option, path in asked]
    if len(found) > 1:
        sources = _of_these_images(sources, finder) or sources
    return [mark_ignored(drop_empty(_with_split(source)), classes) for source in sources]


def _of_these_images(sources: list[Source], finder: Finder) -> list[Source]:
    """Of files for each split those of the split that the images' folder is called after, and that name one of them."""
    here = told_by([finder.above])
    own = [s for s in sources if here and split_of_file(s.place) == here] or sources
    return [s for s in own if any(finder.knows(*record.names) for record in s.records[:TRIED])]


def _with_split(source: Source) -> Source:
    """With the split that the name of its file tells, where the source itself tells none."""
    split = split_of_file(source.place) if source.place.is_file() else ""
    if not split or (source.table and has_splits(source.place)) or any(record.split for record in source.records):
        return source
    return replace(source, records=[replace(record, split=split) for record in source.records])


def match(sources: list[Source], finder: Finder, root: Path) -> Known:
    """Give each record to the image that it names: first, of images of one name, to that beside the source's file."""
    records: list[list[Record]] = [[] for _ in finder.names]
    lost = []
    besides = [_beside(source.place, root, finder) for source in sources]
    told = [[_split(record, beside) for record in source.records] for source, beside in zip(sources, besides)]
    of_sources = {split for splits in told for split in splits} - {""}
    of_folders = {finder.split_of(n) for n in range(len(finder.names))}
    for source, beside, splits in zip(sources, besides, told):
        for record, split in zip(source.records, splits):
            others = SPLITS if split in of_folders else of_sources
            barred = others - {split} if split else frozenset()
            try:
                records[finder.find(_beside_first(record.names, beside), barred)].append(record)
            except WsssError as error:
                by_name = f" (of split {split}, as its file or folder is called)" if barred else ""
                lost.append((record.names[0], WsssError(f"{record.where}: {error.what}{by_name}", error.remedy)))
    return Known(records, lost)


def _split(record: Record, beside: str) -> str:
    """The split that a record is of, by what its source says or by the folder that it lies in; "" if none is told."""
    return told_by([record.split]) or told_by(beside.split("/"))


def _beside_first(names: tuple[str, ...], beside: str) -> tuple[str, ...]:
    """The names, each first in the folder `beside`, "" for none."""
    return tuple(n for name in names for n in (f"{beside}/{name}", name)) if beside else names


def _beside(place: Path, root: Path, finder: Finder) -> str:
    """The folder of a source's file, below the images; "" if it is not there, or holds no image."""
    folder = place.absolute().parent
    below = folder.relative_to(root).as_posix() if place.is_file() and folder.is_relative_to(root) else "."
    return below if any(name.startswith(f"{below}/") for name in finder.names) else ""


def class_names(sources: list[Source], asked: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of classes 1..C: those asked for; else in the order of the first source that has one, the rest sorted.

    more  names that come after those of the sources.  Raises WsssError if there is no class, or too many.
    """
    if asked != "auto":
        names = asked_names(asked)
    else:
        ordered = [name for source in sources for name in source.classes]
        used = {n for source in sources for r in source.records for n in (*r.tags, *(t.name for t in r.things))}
        names = tuple(dict.fromkeys((*ordered, *sorted(used - set(ordered)), *more)))
    names = tuple(name for name in names if not is_no_class(name))
    problem = next((r.problem for source in sources for r in source.records if r.problem is not None), None)
    if not names and problem is not None:
        raise WsssError(problem.what, problem.remedy)
    if not names:
        raise WsssError("the annotations name no class", "give tags, boxes or folders that do, or --classes a,b,c")
    label_format(len(names))  # too many: are these tags, or texts?
    return names


def asked_names(text: str) -> tuple[str, ...]:
    """The names of --classes: "a,b,c", a file with one per line, or a YAML with names.  Raises WsssError."""
    path = Path(text)
    if not os.path.isfile(text):  # noqa: PTH113  Path raises where a list of names is too long for one
        if path.suffix.lower() in (".txt", ".yaml", ".yml", ".names"):
            raise WsssError(f"--classes: there is no file {path}", "give names a,b,c or a file with one per line")
        names = tuple(name.strip() for name in text.split(",") if name.strip())
    elif path.suffix.lower() in (".yaml", ".yml"):
        names = tuple(read_names(path).values())
    else:
        names = tuple(line.strip() for line in read_text(path).splitlines() if line.strip())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WsssError(f"--classes {text} names '{twice}' twice", "name each class once")
    return names


def unknown_class(records: list[Record], classes: frozenset[str]) -> WsssError | None:
    """What to say of the first name that is no class; None if all are."""
    for record in records:
        for name in (*record.tags, *(thing.name for thing in record.things)):
            if name not in classes and not is_no_class(name):
                what = f"{record.where}: unknown class '{name}'{nearest(name, sorted(classes))}"
                return WsssError(what, "correct it, or add it to --classes")
    return None


def _size(options: Options, images: Sequence[Found], finder: Finder, name: str) -> tuple[int, int]:
    """(width, height) of the image that a name means.  Raises WsssError."""
    how = Reading(first_page=options.pages == "first", megapixels=options.max_megapixels)
    return image_size(images[finder.find((name,))].path, how=how)


def _asked(options: Options, root: Path) -> list[Asked]:
    many = (
        ("tags", options.tags),
        ("coco", options.coco),
        ("label-studio", options.label_studio),
        ("cvat", options.cvat),
        ("via", options.via),
    )
    asked = [(option, path.absolute()) for option, paths in many for path in paths]
    single = {option: getattr(options, option) for option in ("yolo", "xml", "labelme", "supervisely", "geojson")}
    asked += [(option, path.absolute()) for option, path in single.items() if path is not None]
    asked += [("defects", root)] if options.defects != "no" else []
    asked += [("tags-in-names", root)] if options.tags_in_names else []
    return [*asked, ("class-folders", root)] if options.class_folders else asked


def _read(option: str, path: Path, options: Options, root: Path, images: Sequence[Found], finder: Finder) -> Source:
    match option:
        case "tags":
            return _read_tags(path, options, partial(_size, options, images, finder))
        case "coco":
            return read_coco(path, options.crowd)
        case "yolo":
            return read_yolo(path, options.names, (root, root.parent))
        case "xml":
            return read_pascal(path)
        case "label-studio":
            return read_label_studio(path)
        case "cvat":
            return read_cvat(path)
        case "labelme":
            return read_labelme(path)
        case "supervisely":
            return read_supervisely(path, root)
        case "geojson":
            return read_geojson(path, Pictures(images, finder), _named(options))
        case "via":
            return read_via(path, options.via_attribute)
        case "tags-in-names":
            return name_tags.read_names(root, finder.names, _named(options))
        case "defects":
            return read_defects(root, finder.names, options.defects == "one")
        case _:
            return read_class_folders(root, finder.names)


def _named(options: Options) -> tuple[str, ...]:
    """The names of --classes, if they are given."""
    return () if options.classes == "auto" else asked_names(options.classes)


def _read_tags(path: Path, options: Options, size_of: SizeOf) -> Source:
    classes = _named(options)
    if path.suffix.lower() == ".npy":
        return read_npy(path, classes, options.min_confidence)
    if path.is_dir() or path.suffix.lower() == ".txt":
        return read_main(path)
    if path.suffix.lower() in TABLES and is_label_studio(path):
        return read_label_studio(path)
    columns = (options.image_column, options.tags_column, options.separator)
    source = read_tags(path, *columns, options.min_confidence, classes, options.rle_order, size_of)
    return replace(with_names(source), table=True)
