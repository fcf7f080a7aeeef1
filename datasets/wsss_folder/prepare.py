"""A folder of images and what is known of them -> samples."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from wsss_cli.data.georeference import georeference, lay
from wsss_cli.data.images import image_size, kind_of_file, read_image
from wsss_cli.data.labels import voc_palette, write_labels
from wsss_cli.data.picture import PLAIN, Reading
from wsss_cli.data.prepared import BLACK, FIRST_PAGE, WHITE, BadSample, DatasetInfo, Sample, size_limit
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_folder.config import Options
from wsss_folder.mask_values import is_no_class
from wsss_folder.masks import convert, require_listed
from wsss_folder.notes import beside_images, notes
from wsss_folder.outlines import draw
from wsss_folder.pixel_boxes import pixel_box, require_size
from wsss_folder.plan import Plan, make_plan
from wsss_folder.white_level import White, find_white


def prepare(options: Options, folder: Path) -> tuple[DatasetInfo, Iterable[Sample | BadSample]]:
    """The data set of --images; images stay where they are, masks that need it are converted into `folder`."""
    how, plan = _reading(options), make_plan(options)
    found_white = None if how.white else find_white(plan.paths, how)
    found = [f"{source.format} {source.place}" for source in plan.sources] or ["tags from masks"]
    info = DatasetInfo(
        name="folder",
        kind="folder",
        classes=tuple(plan.ids),
        splits=plan.splits.roles,
        source="; ".join([f"images {plan.root}", *found]),
        masks=plan.truth.title,
        palette=voc_palette(len(plan.ids) + 1),
        notes=notes(options, plan),
        warnings=(
            *(warning for source in plan.sources for warning in source.warnings),
            *([found_white.warning] if found_white else ()),
            *beside_images(options, plan),
            *_spellings(plan.ids),
        ),
        pictures=_pictures(how, found_white),
    )
    lost = [BadSample(name, error) for name, error in plan.lost]
    bad = [BadSample(plan.images[n].id, error) for n, error in plan.bad]
    todo = [n for n in plan.tags if plan.splits.of[n]]
    shown = replace(how, sparse=found_white.level if found_white else None)
    work = partial(_sample, plan=plan, folder=folder, how=shown)
    return info, ParallelMap(work, [*todo, *bad, *lost])


def _reading(options: Options) -> Reading:
    """Raises WsssError for levels that leave no range."""
    white, black = options.white_level, options.black_level
    if white is None and black:
        raise WsssError(f"--black-level {black:g} without --white-level", "say which value is white as well")
    if white is not None and white <= black:
        raise WsssError(f"--white-level {white:g} is not above --black-level {black:g}", "exchange them")
    return Reading(white, black, options.pages == "first", megapixels=options.max_megapixels)


def _spellings(names: Iterable[str]) -> Iterator[str]:
    """Classes whose names differ in nothing but case, spaces and how characters are composed: one class, probably."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault("".join(unicodedata.normalize("NFKC", name).casefold().split()), []).append(name)
    for several in alike.values():
        if len(several) > 1:
            shown = ", ".join(f"'{name}'" for name in several)
            only = "case, spaces or composed characters only"
            yield f"{len(several)} classes differ in {only}: {shown}; if they are one, spell them alike"


def _pictures(how: Reading, found: White | None) -> dict[str, float]:
    """What is not as usual, for dataset.yaml."""
    levels = {WHITE: found.level} if found else {WHITE: how.white, BLACK: how.black}
    given = {key: float(value or 0) for key, value in levels.items()} if found or how.white else {}
    return given | size_limit(how.megapixels) | ({FIRST_PAGE: 1.0} if how.first_page else {})


def _sample(item: int | BadSample, plan: Plan, folder: Path, how: Reading) -> Sample | BadSample:
    if isinstance(item, BadSample):
        return item
    try:
        return make_sample(item, plan, folder, how)
    except WsssError as error:
        return BadSample(plan.images[item].id, error)


def make_sample(number: int, plan: Plan, folder: Path, how: Reading = PLAIN) -> Sample:
    """Read the image's size, turn its boxes into whole pixels and its mask into class ids.

    Raises WsssError: an annotation for another size, a box outside the image, a mask of another size or other values.
    """
    image, records = plan.images[number], plan.known.records[number]
    width, height = image_size(image.path, how=how)
    for record in records:
        require_size(record, width, height)
    boxes = [
        pixel_box(thing, plan.ids[thing.name], record, width, height)
        for record in records
        for thing in record.things
        if not is_no_class(thing.name) and not thing.crowd
    ]
    mask = _mask(number, plan, folder / "masks" / f"{image.id}.png", (width, height))
    tags = tuple(sorted(plan.ids[name] for name in plan.tags[number]))
    place = _shown(image.path, folder / "images" / f"{image.id}.png", how)
    return Sample(image.id, place, width, height, tags, tuple(dict.fromkeys(boxes)), mask, plan.splits.of[number])


def _shown(path: Path, place: Path, how: Reading) -> Path:
    """The image's file, or, of one that only `how` tells how to show, an 8-bit PNG made at `place`."""
    kind = kind_of_file(path, how)
    if not (kind.pages > 1 or (kind.deep and how.of(kind).white is not None)):
        return path
    with writing(place, flushed=False) as aside:
        Image.fromarray(read_image(path, how)).save(aside, format="PNG")
    lay(place, georeference(path))
    return place


def _mask(number: int, plan: Plan, place: Path, size: tuple[int, int]) -> Path | None:
    """The mask file of an image: its own if that holds class ids already, else one made at `place`."""
    truth, palette = plan.truth, voc_palette(len(plan.ids) + 1)
    path = truth.files.get(number)
    if path is not None:
        ids = truth.ids_in(path)
        require_listed(path, truth.held[path], ids)
        if truth.is_ready(path):
            return path.absolute()
        convert((path, *truth.more.get(path, ())), place, ids, plan.images[number].path, size, palette)
        return place
    if number in truth.drawn:
        labels = draw(plan.known.records[number], plan.ids, *size)  # (H, W)
        write_labels(place, labels, palette)
        return place
    return None
