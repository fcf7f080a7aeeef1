"""The masks of some images: files, or drawn from outlines.  They are for scores; tags only if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wsss_cli.checks.finding import some
from wsss_cli.data.label_format import label_format
from wsss_cli.errors import WsssError
from wsss_folder.config import Options
from wsss_folder.mask_values import Values, parse_values, table_beside
from wsss_folder.masks import WHITES, WHITES_OF_FEW, Masks, find_masks, guess_ids, is_ready, values_in
from wsss_folder.matching import Finder
from wsss_folder.outlines import drawable
from wsss_folder.record import Source, why_unlabelled
from wsss_folder.sources import Known

NUMBERED = 150
"""Classes of ADE20K, of which more have names."""
MaskFolder = tuple[Path, frozenset[Path] | None, str]
"""A folder of masks, the files in it that are masks (None: all), and the folder of their images ("": any)."""


@dataclass(frozen=True)
class GroundTruth:
    """files  mask of each image that has one; held  the values in each; drawn  images whose outlines make a mask.

    more   further files of a mask, where each shows one object;  rules  how names of masks differ from those of images
    lost   (mask, why) of masks that belong to no image; bad  (image, why) of those that cannot be read
    ids    class id of each value; with_ids fills them in once the classes are known
    shown  the one class that each mask of 0 and white, or 0 and 1, shows: that of its image
    """

    title: str = ""
    files: dict[int, Path] = field(default_factory=dict)
    more: dict[Path, list[Path]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    held: dict[Path, tuple[int, ...]] = field(default_factory=dict)
    drawn: frozenset[int] = frozenset()
    lost: list[tuple[str, WsssError]] = field(default_factory=list)
    bad: list[tuple[int, WsssError]] = field(default_factory=list)
    values: Values | None = None
    gives_tags: bool = False
    classes: tuple[str, ...] = ()
    ids: dict[int, int] = field(default_factory=dict)
    shown: dict[Path, str] = field(default_factory=dict)

    @property
    def white(self) -> int | None:
        """The one value in all masks beside 0, if it is white."""
        values = {value for values in self.held.values() for value in values} - {0}
        return next((white for white in WHITES if values == {white}), None)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes that only the masks name; none unless tags are taken from them."""
        return self.values.classes if self.values and self.gives_tags else ()

    @property
    def numbered(self) -> tuple[str, ...]:
        """The classes of masks that nothing names: their values, "1", "2", ..., where tags are taken from them.

        Raises WsssError for more than NUMBERED, which are no ids.
        """
        held = {value for values in self.held.values() for value in values} - {0}
        whites = held & {*WHITES}
        count = max(held - whites, default=len(whites)) if self.gives_tags and not self.values else 0
        if count > NUMBERED:
            shown = some([str(value) for value in sorted(held)])
            remedy = "say what the values mean: --mask-values '0=background,1=NAME,...', or a file of such lines"
            raise WsssError(f"the masks hold values up to {count}, which nothing names: {shown}", remedy)
        return tuple(map(str, range(1, count + 1)))

    def with_ids(self, classes: tuple[str, ...]) -> GroundTruth:
        """With the class id of each mask value.  Raises WsssError if the values do not fit the classes."""
        if not self.files:
            return self
        if self.values:
            ids = self.values.ids(classes)
        else:
            ids = guess_ids([held for path, held in self.held.items() if path not in self.shown], len(classes))
        return replace(self, classes=classes, ids=ids)

    def ids_in(self, path: Path) -> dict[int, int]:
        """Class id of each value in one mask."""
        if path not in self.shown:
            return self.ids
        white = [value for value in (1, *WHITES, *WHITES_OF_FEW) if {*self.held[path]} <= {0, value}]
        return {0: 0, **dict.fromkeys(white, self.classes.index(self.shown[path]) + 1)}

    def tags_of(self, number: int) -> frozenset[str]:
        """The classes in the mask of an image, if tags are taken from masks."""
        if not self.gives_tags or number not in self.files:
            return frozenset()
        path = self.files[number]
        ids = {self.ids_in(path).get(value, 0) for value in self.held[path]}
        return frozenset(self.classes[id - 1] for id in ids if 0 < id <= len(self.classes))

    def is_ready(self, path: Path) -> bool:
        """Whether the file can be used where it lies."""
        alone = path not in self.more
        return alone and is_ready(path, self.held[path], self.ids_in(path), label_format(len(self.classes)))


def find_ground_truth(
    options: Options, sources: list[Source], known: Known, finder: Finder, folders: Sequence[MaskFolder]
) -> GroundTruth:
    """What the folders of masks and --masks-from-shapes give.  Raises WsssError if that is nothing."""
    if not folders:
        _require_masks(options)
        truth = GroundTruth()
    else:
        table = options.mask_values if options.mask_values != "auto" else table_beside(folders[0][0])
        values = parse_values(table) if table else None
        found = [find_masks(folder, finder, only, beside) for folder, only, beside in folders]
        title = ", ".join(dict.fromkeys(folder.absolute().name for folder, _, _ in folders))
        truth = _from_files(title, values, options.tags_from_masks, found)
        if options.tags_from_masks and not truth.files:
            raise next(error for _, error in (*truth.bad, *truth.lost))
    if options.defects != "no" and truth.files:
        truth = _with_defects(truth, known)
    elif not truth.values and truth.white:
        truth = _of_one_tag(truth, known)
    if not options.masks_from_shapes:
        return truth
    empty = {n for n, records in enumerate(known.records) if options.unlabelled == "empty" and why_unlabelled(records)}
    whole = {n for n, records in enumerate(known.records) if drawable(records)}
    drawn = frozenset(whole | empty) - truth.files.keys()
    if not any(record.things for n in drawn for record in known.records[n]):
        told = [note for source in sources for note in source.notes if "outline" in note]
        raise WsssError(
            "; ".join(["--masks-from-shapes: no image has outlines of all its objects", *told]),
            "boxes are no masks; give polygons or run-length codes, or leave the option out",
        )
    names = ", ".join(s.place.name for s in sources if any(t.polygons or t.rle for r in s.records for t in r.things))
    return replace(
        truth, drawn=drawn | truth.drawn, title=", ".join(x for x in (truth.title, f"outlines of {names}") if x)
    )


def _of_one_tag(truth: GroundTruth, known: Known) -> GroundTruth:
    """Masks of 0 and white show the one tag of their image, if each image whose mask holds white has one."""
    shown = {path: known.tags(n) for n, path in truth.files.items() if truth.held[path] != (0,)}
    if any(len(tags) != 1 for tags in shown.values()):
        return truth
    return replace(truth, shown={path: tag for path, (tag,) in shown.items()})


def _with_defects(truth: GroundTruth, known: Known) -> GroundTruth:
    """Masks without a table of values show the one defect of their image; good images are background."""
    tags = {n: {tag for record in records for tag in record.tags} for n, records in enumerate(known.records)}
    shown = {path: next(iter(tags[n])) for n, path in truth.files.items() if len(tags[n]) == 1}
    good = frozenset(n for n, of in tags.items() if known.records[n] and not of and n not in truth.files)
    return replace(truth, shown={} if truth.values else shown, drawn=good)


def _from_files(title: str, values: Values | None, gives_tags: bool, found: Sequence[Masks]) -> GroundTruth:
    by_image: dict[int, list[Path]] = {}
    twice = []
    for n, paths in (item for one in found for item in one.by_image.items()):
        if by_image.setdefault(n, paths) is not paths:
            what = f"{paths[0]} is a second mask of its image, after {by_image[n][0]}"
            twice.append((paths[0].name, WsssError(what, "remove one, or its folder")))
    held = values_in([path for paths in by_image.values() for path in paths], values.names if values else ())
    whole = {n: _together([held[path] for path in paths], paths, values) for n, paths in by_image.items()}
    bad = [(n, error) for n, error in whole.items() if isinstance(error, WsssError)]
    return GroundTruth(
        title=title,
        files={n: paths[0] for n, paths in by_image.items() if not isinstance(whole[n], WsssError)},
        more={paths[0]: paths[1:] for paths in by_image.values() if len(paths) > 1},
        rules=tuple(sorted({rule for one in found for rule in one.rules})),
        held={by_image[n][0]: one for n, one in whole.items() if not isinstance(one, WsssError)},
        lost=[*twice, *((path.name, error) for one in found for path, error in one.lost)],
        bad=bad,
        values=values,
        gives_tags=gives_tags,
    )


def _together(
    held: Sequence[tuple[int, ...] | WsssError], paths: Sequence[Path], table: Values | None
) -> tuple[int, ...] | WsssError:
    """The values of a mask, or why it is none: of several files each must show one object."""
    sound = [one for one in held if not isinstance(one, WsssError)]
    if len(sound) < len(held):
        return next(one for one in held if isinstance(one, WsssError))
    objects = [{*values} - (table.nothing if table else {0}) for values in sound]
    objects = objects if table else [values - {*WHITES} or values for values in objects]  # white beside ids: ignored
    several = next((path for path, values in zip(paths, objects, strict=True) if len(values) > 1), None)
    if several is not None and len(paths) > 1:
        what = f"{several} is one of {len(paths)} masks of its image, but holds more than one object's value"
        return WsssError(what, "keep one mask of the image")
    return tuple(sorted({value for values in sound for value in values}))


def _require_masks(options: Options) -> None:
    for given, option in (
        (options.tags_from_masks, "--tags-from-masks"),
        (options.mask_values != "auto", "--mask-values"),
    ):
        if given:
            raise WsssError(f"{option} is given without masks", "give the folder of the masks with --masks")
