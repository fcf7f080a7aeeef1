"""Everything that is known before an image is opened: sources matched to images, classes, tags, masks, splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wsss_cli.errors import WsssError
from wsss_folder import splits as split
from wsss_folder.catalogue import Found, image_folder
from wsss_folder.config import Options
from wsss_folder.defect_folders import learns_nothing
from wsss_folder.ground_truth import GroundTruth, find_ground_truth
from wsss_folder.mask_folders import mask_folder
from wsss_folder.matching import Finder
from wsss_folder.pictures import Pictures, find_pictures
from wsss_folder.recognise import passed_over
from wsss_folder.record import Source, why_unlabelled
from wsss_folder.sources import Known, class_names, match, read_sources, unknown_class
from wsss_folder.split_lists import Lists, find_lists, has_splits, read_lists


@dataclass(frozen=True)
class Plan:
    """What to make of the images below root; images are told by their number.

    ids    class id 1..C by name
    tags   names of the classes of each image that is kept
    lost   (name, why) of annotations, masks and lines of lists that belong to no image
    bad    (image, why) of what is wrong with the annotation or mask of an image
    twins  names of pictures that are masks of images beside them;  unused  folders of masks that nothing asks for
    """

    root: Path
    images: list[Found]
    sources: list[Source]
    known: Known
    truth: GroundTruth
    ids: dict[str, int]
    tags: dict[int, frozenset[str]]
    splits: split.Splits
    lost: list[tuple[str, WsssError]]
    bad: list[tuple[int, WsssError]]
    twins: tuple[str, ...]
    unused: tuple[Path, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The files of the images that become samples."""
        return [self.images[n].path for n in self.tags if self.splits.of[n]]

    def counts(self) -> dict[str, Counter[str]]:
        """How many images of each split have each tag, train first; "" counts those without."""
        counts: dict[str, Counter[str]] = {}
        for number, names in self.tags.items():
            for name in self.splits.of[number]:
                counts.setdefault(name, Counter()).update(names or [""])
        return dict(sorted(counts.items(), key=lambda item: (item[0] not in self.splits.roles.values(), item[0])))


def make_plan(options: Options) -> Plan:
    """Read every source, mask and list.  Raises WsssError for what is wrong as a whole."""
    root = image_folder(options.images)
    pictures, finder, sources = _read(options, root)
    images = pictures.images
    known = match(sources, finder, root)
    truth = find_ground_truth(options, sources, known, finder, pictures.masks)
    _require_tags(options, sources, root, finder)
    classes = class_names(
        sources, options.classes, truth.class_names if sources else truth.class_names or truth.numbered
    )
    truth = truth.with_ids(classes)
    bad = [*truth.bad, *_unusable(known, frozenset(classes))]
    kept = _kept(options, known, truth, {number for number, _ in bad})
    tags = {n: known.tags(n) | truth.tags_of(n) for n in kept}
    lists = _lists(options, sources, finder)
    return Plan(
        root=root,
        images=images,
        sources=sources,
        known=known,
        truth=truth,
        ids={name: id for id, name in enumerate(classes, start=1)},
        tags=tags,
        splits=_splits(options, lists, root, finder, sources, known, tags, frozenset(truth.files) | truth.drawn),
        lost=[*known.lost, *truth.lost, *(lists.lost if lists else ())],
        bad=bad,
        twins=pictures.twins,
        unused=pictures.unused,
    )


def _read(options: Options, root: Path) -> tuple[Pictures, Finder, list[Source]]:
    """The images and what is known of them; what annotations name is an image, though it looks like a mask."""
    pictures, known = find_pictures(options, root), frozenset[str]()
    while True:
        finder = Finder([image.name for image in pictures.images], root.name)
        sources = read_sources(options, root, pictures.images, finder)
        known |= _named(sources, finder, pictures.hidden)
        if pictures.hidden.isdisjoint(known):
            return pictures, finder, sources
        pictures = find_pictures(options, root, known)


def _named(sources: list[Source], finder: Finder, hidden: frozenset[str]) -> frozenset[str]:
    """Of the pictures that are taken for masks those that annotations name: as no image is called, or beside the image
    of the same name, both with their endings (0.gif and 0.jpg)."""
    masks, images = Finder([*hidden]), {PurePosixPath(name).name for name in finder.names}
    named = {record.names for source in sources for record in source.records if hidden}
    files, found = {PurePosixPath(names[0]).name for names in named}, set()
    for names in filter(lambda names: masks.has(*names), named):
        mask, file = masks.names[masks.find(names)], PurePosixPath(names[0]).name
        if finder.has(*names):
            image = PurePosixPath(finder.names[finder.find(names)]).name
            found |= {mask} if file == PurePosixPath(mask).name and file not in images and image in files else set()
        elif not finder.knows(*names):
            found.add(mask)
    return frozenset(found)


def _require_tags(options: Options, sources: list[Source], root: Path, finder: Finder) -> None:
    if not sources and not options.tags_from_masks:
        masks = options.masks or mask_folder(root)
        alone = f"; or --masks {masks} --tags-from-masks, to take what the masks hold for tags" if masks else ""
        raise WsssError(
            "; ".join([f"there is no annotation in or beside {root} that is recognised", *passed_over(root, finder)]),
            "give --tags FILE.csv, --class-folders, --defects, --coco, --yolo, --xml, --label-studio, --cvat, "
            f"--labelme, --supervisely, --geojson or --via{alone}",
        )


def _unusable(known: Known, classes: frozenset[str]) -> list[tuple[int, WsssError]]:
    """Images whose annotation could not be read or names an unknown class."""
    found: list[tuple[int, WsssError]] = []
    for number, records in enumerate(known.records):
        found += [(number, record.problem) for record in records if record.problem is not None]
        unknown = unknown_class(records, classes)
        found += [(number, unknown)] if unknown else []
    return found


def _kept(options: Options, known: Known, truth: GroundTruth, bad: set[int]) -> list[int]:
    """The images that become samples: those without a problem; with --unlabelled skip only those with a label."""
    sound = [n for n in range(len(known.records)) if n not in bad]
    if options.unlabelled != "skip":
        return sound
    return [n for n in sound if not why_unlabelled(known.records[n]) or (truth.gives_tags and n in truth.files)]


def _lists(options: Options, sources: list[Source], finder: Finder) -> Lists | None:
    """The splits of --split-file, or of a column of the tags CSV unless --val is given; None if there are none."""
    if options.split_file and options.val is not None:
        raise WsssError("--split-file and --val both say what to score on", "give one of them")
    tables = [s.place for s in sources if s.table and options.val is None and has_splits(s.place)]
    paths = options.split_file or tables
    return read_lists(paths, finder, options.image_column) if paths else None


def _splits(
    options: Options,
    lists: Lists | None,
    root: Path,
    finder: Finder,
    sources: list[Source],
    known: Known,
    tags: dict[int, frozenset[str]],
    masked: frozenset[int],
) -> split.Splits:
    """By lists that are asked for, else, unless --val is given, by the folders of the images, the annotations or lists
    that lie there, else drawn: from train alone, where that is all that anything is known of."""
    kept = list(tags)
    given = split.from_lists(lists, kept) if lists else None
    sound = options.defects != "no" and learns_nothing({finder.names[n]: of for n, of in tags.items()})
    if given is None and options.val is None and not sound:
        given = (
            split.from_folders(finder.names, kept)
            or split.from_records(sources, known.records, kept)
            or split.from_found(find_lists(root, finder), kept)
        )
    test = _unknown_test(given, known, masked) if given and not lists else frozenset()
    if given is None or test:
        own = {n: of for n, of in tags.items() if n not in test}
        only = options.val_from == "masked" or (options.val_from == "auto" and bool(masked))
        draw = split.Draw(options.val, options.seed, options.group_by, only)
        return split.with_test(split.drawn(finder.names, own, masked & frozenset(own), draw), test)
    if options.group_by != "none":
        raise WsssError(
            f"--group-by is for drawing a split, but there are {given.how[0]}", "draw with --val 0.2, or leave it out"
        )
    return given


def _unknown_test(given: split.Splits, known: Known, masked: frozenset[int]) -> frozenset[int]:
    """The images of test, if nothing is known of any, as in competitions, and there is no val."""
    rest = frozenset(n for n, of in given.of.items() if of != ("train",))
    unknown = all(given.of[n] == ("test",) and n not in masked and why_unlabelled(known.records[n]) for n in rest)
    return rest if unknown else frozenset()
