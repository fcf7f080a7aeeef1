"""What was found, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wsss_cli.checks.finding import some
from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_folder.catalogue import RAW
from wsss_folder.config import Options
from wsss_folder.mask_folders import holds_masks, masks_beside
from wsss_folder.masks import looks_like_masks
from wsss_folder.plan import Plan
from wsss_folder.record import Source, why_unlabelled

FOLDERS = 3  # of masks, each in a line
SHOWN = 30  # classes counted by name
UNLABELLED = {
    "keep": "kept without tags and mask (--unlabelled skip leaves them out, empty says that they hold no class)",
    "skip": "left out",
    "empty": "taken as holding no class",
}


def notes(options: Options, plan: Plan) -> tuple[str, ...]:
    """Sources, images that none names, masks, splits, images per class; each a note of the data set."""
    return (
        *_passed_over(plan),
        *_sources(plan.sources),
        *_unlabelled(options, plan),
        *_masks(options, plan),
        *plan.splits.how,
        *_classes(plan),
    )


def beside_images(options: Options, plan: Plan) -> Iterator[str]:
    """Pictures of --images that lie outside its folder of images, which alone is read; masks, and what lies in folders
    of data sets and runs, are none."""
    whole = options.images.absolute()
    if plan.root == whole:
        return
    ours = [path.parent for path in whole.glob("*/latest")]
    masks = [options.masks] if options.masks else []
    paths = [path.relative_to(whole) for path in files_below(whole, ENDINGS, [plan.root, *masks, *ours])]
    outside = Counter(path.parts[0] for path in paths if not any(map(holds_masks, path.parts[:-1])))
    if outside:
        shown = some([f"{folder} {count}" for folder, count in outside.items()])
        why = f"for it has a folder {plan.root.name}"
        what = f"{outside.total()} picture(s) of {options.images} are not used, {why}: {shown}"
        yield f"{what} (move them into {plan.root}, or call that otherwise, to have all)"


def _passed_over(plan: Plan) -> Iterator[str]:
    kinds = Counter(path.suffix.lower() for path in files_below(plan.root, RAW))
    if kinds:
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield f"pictures of kinds that are not read are passed over ({shown}): save them as PNG or TIFF to use them"


def _sources(sources: list[Source]) -> Iterator[str]:
    for source in sources:
        images = len({record.names for record in source.records})
        boxes = sum(len(record.things) for record in source.records)
        yield f"found {source.format} {source.place}: {images} images" + (f", {boxes} boxes" if boxes else "")
        yield from source.notes
    if len(sources) > 1:
        yield f"the {len(sources)} sources are added up: an image has the tags and boxes of all of them"


def _unlabelled(options: Options, plan: Plan) -> Iterator[str]:
    records = plan.known.records
    why = Counter(filter(None, map(why_unlabelled, records)))
    if why and not options.tags_from_masks:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
        yield f"{why.total()} of {len(records)} images are not labelled ({reasons}): {UNLABELLED[options.unlabelled]}"
    empty = sum(not why_unlabelled(records[n]) and not tags for n, tags in plan.tags.items())
    if empty:
        yield f"{empty} images are annotated as holding no class"


def _masks(options: Options, plan: Plan) -> Iterator[str]:
    shapeless = sum(record.shapeless for records in plan.known.records for record in records)
    if shapeless and options.masks_from_shapes:
        yield f"{shapeless} objects have no outline (points, lines, ...): their images get no mask"
    if options.mask_values == "auto" and plan.truth.values:
        yield f"what the values of the masks mean is from {plan.truth.values.where}"
    if options.classes == "auto" and not plan.sources and not plan.truth.values:
        yield "classes are called by the values of the masks: --classes a,b,c names them"
    if plan.truth.shown and options.defects == "no":
        yield f"the masks hold 0 and {plan.truth.white}, which is taken for the one tag of the image"
    if plan.truth.rules:
        yield f"masks whose names differ from those of their images are found by {some(plan.truth.rules)}"
    if plan.truth.more:
        count = sum(map(len, plan.truth.more.values())) + len(plan.truth.more)
        yield f"{len(plan.truth.more)} masks are put together of {count} files, each of one object"
    number = len(plan.truth.files) + len(plan.truth.drawn)
    if number and options.tags_from_masks:
        yield f"{number} images have a mask, and their tags are taken from it: this is not weak supervision"
    elif number:
        yield f"{number} images have a mask, for scores only: no tag is taken from it (--tags-from-masks would)"
    unmarked = [name for name in plan.ids if plan.truth.values and name not in plan.truth.values.classes]
    if unmarked:
        yield f"no value of the masks means {some(unmarked)}: a prediction of it counts as wrong"
    if plan.twins:
        what = f"{len(plan.twins)} pictures are masks of others, not images ({some(plan.twins)})"
        yield f"{what}; --masks {plan.root} would score on them"
    named = looks_like_masks([image.name for image in plan.images])
    if named:
        what = f"{len(named)} images are named as masks of others are ({some(sorted(named))}), but do not look so"
        yield f"{what}; --masks {plan.root} takes them for masks"
    if len(plan.unused) > FOLDERS:
        shown = some([folder.relative_to(plan.root).as_posix() for folder in plan.unused])
        what = f"{len(plan.unused)} folders hold masks, which are no images ({shown})"
        yield f"{what}; --masks {plan.root} would score on them"
    else:
        yield from (f"{f} holds masks, which are no images; --masks {f} would score on them" for f in plan.unused)
    beside = masks_beside(plan.root) or plan.root.parent / "masks"
    if options.masks is None and beside.is_dir():
        yield f"{beside} is not used; --masks {beside} would score on it"


def _classes(plan: Plan) -> Iterator[str]:
    """Images per class and split."""
    counts = plan.counts()
    shown = [f"{name} {'/'.join(str(count[name]) for count in counts.values())}" for name in plan.ids]
    more = [f"and {len(shown) - SHOWN} classes more"] if len(shown) > SHOWN else []
    tagless = [f"no class {'/'.join(str(count['']) for count in counts.values())}"]
    yield f"images per class in {'/'.join(counts)}: {', '.join([*shown[:SHOWN], *more, *tagless])}"
    absent = [name for name in plan.ids if not any(count[name] for count in counts.values())]
    if absent:
        yield f"no image has {some(absent)}"
