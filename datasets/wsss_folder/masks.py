"""Masks as people have them -> label maps of class ids."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.checks.finding import some
from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.data.images import opened, read_bytes
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import Colour, require_one_page, write_labels
from wsss_cli.data.lossy import lossy_form
from wsss_cli.data.picture import stored
from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import ParallelMap
from wsss_folder.affixes import rules
from wsss_folder.lossy_masks import nearest_values
from wsss_folder.mask_values import COLOUR
from wsss_folder.matching import Finder, stem
from wsss_folder.split_names import SPLITS, split_of_masks

WHITES = (255, 65535)  # of a binary mask of 8 and of 16 bits
WHITES_OF_FEW = (3, 15)  # of 2 and of 4 bits: ids, where there are so many classes
BLACK, COLOURS_SHOWN = "#000000", 6
DISTINCT = 0.9  # so much of their areas do masks of several objects cover together
SMEARED = 16  # values that no class has: more than anybody forgot to list
MODES = {8: ("P", "L", "1"), 16: ("I;16", "I;16B", "I")}  # of Pillow, by bits per pixel; I in older ones
SUFFIX = re.compile(
    r"(.+)[-_.](?:mask|masks|gt|seg|segmentation|label|labels|labelids|annotation|l)([-_.]?\d+)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Masks:
    """by_image  the files of the mask of each image that has one, by the image's number: several are one object each
    lost      (file, why) of those of no image;  rules  how names of masks differ from those of their images
    """

    by_image: dict[int, list[Path]]
    lost: list[tuple[Path, WsssError]]
    rules: frozenset[str] = frozenset()


def looks_like_masks(names: Sequence[str]) -> set[str]:
    """Of the images' names those that add _mask, _gt, ... to the name of another."""
    plain = {name.rpartition(".")[0] for name in names}
    return {name for name in names if any(end in plain for end in _without_suffix(name.rpartition(".")[0]))}


def find_masks(folder: Path, finder: Finder, only: Collection[Path] | None = None, beside: str = "") -> Masks:
    """The mask files below `folder` that go with images: of the same name, or with _mask, _gt, _seg, ... after it, or
    by the one rule in which most of the others differ (21_manual1 of 21_training).

    only    the files that are masks, where images lie among them
    beside  the folder of the images that they are of, which must lie below it; of a single one there are all masks, if
            none has its name

    Raises WsssError if the folder is missing or holds no picture.
    """
    if beside:
        numbers = [n for n, name in enumerate(finder.names) if name.startswith(f"{beside}/")]
        inner = find_masks(folder, Finder([finder.names[n].removeprefix(f"{beside}/") for n in numbers]), only)
        if len(numbers) == 1 and not inner.by_image:
            return Masks({numbers[0]: list(files_below(folder, ENDINGS))}, [])
        return replace(inner, by_image={numbers[n]: paths for n, paths in inner.by_image.items()})
    if not folder.is_dir():
        raise WsssError(f"there is no folder {folder}", "give the folder of the masks with --masks")
    below = list(files_below(folder, ENDINGS)) if only is None else []
    files = below or sorted(only or ())
    if not files:
        raise WsssError(f"{folder} holds no mask", "give the folder of the masks with --masks")
    found: dict[int, list[Path]] = {}
    lost: list[tuple[Path, WsssError]] = []
    split = split_of_masks(folder.name)
    barred = SPLITS - {split} if split else ()
    inmost = Path(os.path.commonpath([path.parent for path in files]))
    wanted, used = _wanted(files, () if only else (folder, inmost), finder)
    for path in files:
        try:
            number = finder.find(wanted[path], barred)
            before = found.setdefault(number, [])
            if before and not _is_next(path, before[0]):
                raise WsssError(f"'{finder.names[number]}' has a second mask, after {before[0]}", "remove one")
            before.append(path)
        except WsssError as error:
            lost.append((path, WsssError(f"{path}: {error.what}", error.remedy)))
    return Masks(found, lost, used)


def _is_next(path: Path, first: Path) -> bool:
    """Whether a mask is that of a further object: x_mask_1.png after x_mask.png."""
    return path.parent == first.parent and _unnumbered(path.stem) == _unnumbered(first.stem) != ""


def _unnumbered(name: str) -> str:
    """The name of a mask without the number of its object; "" where it has none of the usual ends."""
    plain = re.sub(r"[-_.]?\d+$", "", name)
    return plain if _without_suffix(plain) else ""


def _wanted(
    files: Sequence[Path], tops: Sequence[Path], finder: Finder
) -> tuple[dict[Path, list[str]], frozenset[str]]:
    """What the image of each mask can be called: its path below each of `tops`, whole without any; as usual, or, of
    names that are no image's, by the rules in which they differ; and these rules, for people."""
    wanted = {}
    for path in files:
        paths = [path.relative_to(top) for top in tops] or [path]
        wanted[path] = [name for below in paths for name in _names(below.as_posix())]
    strange = {path: names for path, names in wanted.items() if not finder.knows(*names)}
    used = set()
    found = rules([path.stem for path in strange], [stem(PurePosixPath(name).name) for name in finder.names])
    for names in strange.values():
        fits = [(rule, image) for rule in found for name in names if (image := rule.image(stem(name)))]
        fits = [(rule, image) for rule, image in fits if finder.knows(image)]
        if len({PurePosixPath(image).name for _, image in fits}) == 1:  # of x_rgb and x_nir none is told for x_mask
            names += [image for _, image in fits]
            used.add(str(fits[0][0]))
    return wanted, frozenset(used)


def mask_values(path: Path, listed: Collection[int] = ()) -> NDArray[np.int64]:
    """(H, W) values of a mask: ids of a palette or grey picture, or, if colours are `listed`, COLOUR + 0xRRGGBB.

    listed  the values that masks can hold, if that is known: of a format that smears values the nearest is taken

    RGB of equal channels counts as grey.  Raises WsssError: damaged, smeared, of several pages or fractions, colours
    where ids are wanted.
    """
    data = read_bytes(path)
    with opened(data, path) as image:
        require_one_page(image, path)
        if lossy_form(image, data):
            return nearest_values(image, data, path, listed)
        if image.mode == "F":
            return _whole(np.asarray(image), path)
        if any(value >= COLOUR for value in listed):
            rgb = np.asarray(image.convert("RGB")).astype(np.int64)  # (H, W, 3)
            packed: NDArray[np.int64] = COLOUR + (rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2])  # (H, W)
            return packed
        if image.mode in ("P", "L", "1") or image.mode.startswith("I"):
            return stored(image).astype(np.int64)  # (H, W)
        if image.mode == "LA":
            return np.asarray(image)[..., 0].astype(np.int64)  # (H, W, 2) -> (H, W)
        rgb = np.asarray(image.convert("RGB")).astype(np.int64)  # (H, W, 3)
    if (rgb != rgb[..., :1]).any():
        raise WsssError(f"{path} is a colour-coded mask, not one of class ids", _which_colours(rgb))
    grey: NDArray[np.int64] = rgb[..., 0]  # (H, W)
    return grey


def _which_colours(rgb: NDArray[np.int64]) -> str:
    """What to do about the colours of a mask, (H, W, 3), with the most frequent ones."""
    found, counts = np.unique(rgb.reshape(-1, 3), axis=0, return_counts=True)  # (V, 3), (V,)
    colours = ["#{:02x}{:02x}{:02x}".format(*found[n]) for n in np.argsort(-counts, kind="stable")]
    named = ",".join(f"{c}={'background' if c == BLACK else 'NAME'}" for c in colours[:COLOURS_SHOWN])
    return f"say which colour is which class: --mask-values '{named}{',...' if len(colours) > COLOURS_SHOWN else ''}'"


def _whole(values: NDArray[np.float32], path: Path) -> NDArray[np.int64]:
    """Ids that are kept as real numbers.  Raises WsssError if they are none."""
    if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        raise WsssError(f"{path} holds fractions, not class ids", "save the ids as an 8-bit or 16-bit PNG")
    return values.astype(np.int64)


def values_in(paths: Sequence[Path], listed: Collection[int]) -> dict[Path, tuple[int, ...] | WsssError]:
    """The values that each mask holds, of those that are `listed`; an error where it cannot be read. On all cores."""

    def look(path: Path) -> tuple[int, ...] | WsssError:
        try:
            return tuple(np.unique(mask_values(path, listed)).tolist())
        except WsssError as error:
            return error

    return dict(zip(paths, ParallelMap(look, paths), strict=True))


def guess_ids(held: Sequence[tuple[int, ...]], num_classes: int) -> dict[int, int]:
    """The class id of each value where no table was given: ids as they are; 0 and white with one class, a binary mask.

    held  values of each mask.  Raises WsssError where white could be the class or to be ignored.
    """
    values = {value for one in held for value in one}
    whites = (*WHITES, *WHITES_OF_FEW) if num_classes == 1 else WHITES
    white = next((white for white in whites if values - {0} == {white}), None)
    if white is not None:
        if num_classes > 1:
            raise WsssError(
                f"the masks hold only 0 and {white}, but there are {num_classes} classes",
                f"say what they mean, for example: --mask-values 0=background,{white}=NAME",
            )
        return {0: 0, white: 1}
    return {id: id for id in (*range(num_classes + 1), label_format(num_classes).ignore)}


def is_ready(path: Path, held: Sequence[int], ids: Mapping[int, int], form: LabelFormat) -> bool:
    """Whether the file can be used where it lies: a PNG of the right depth whose values are class ids."""
    with opened(path, path) as image:
        return image.format == "PNG" and image.mode in MODES[form.bits] and all(ids.get(v) == v for v in held)


def require_listed(path: Path, held: Sequence[int], ids: Mapping[int, int]) -> None:
    """Raises WsssError if the mask holds a value that the table does not list."""
    unknown = [f"#{v - COLOUR:06x}" if v >= COLOUR else str(v) for v in held if v not in ids]
    if len(unknown) > SMEARED:
        raise WsssError(
            f"{path} holds {some(unknown)}, which no class has: so many are no ids but blurred or smeared ones",
            "export the masks anew as PNG without smooth edges, never as JPEG; or list every value: --mask-values",
        )
    if unknown:
        known = [f"#{v - COLOUR:06x}" if v >= COLOUR else str(v) for v in ids]
        raise WsssError(
            f"{path} holds {some(unknown)}, which no class has; known: {some(known)}",
            "list every value: --mask-values 0=background,128=tumour,255=ignore",
        )


def convert(
    paths: Sequence[Path],
    to: Path,
    ids: Mapping[int, int],
    image: Path,
    size: tuple[int, int],
    palette: Sequence[Colour],
) -> None:
    """Write the mask as a label map at `to`; several files show one object each.

    Raises WsssError if one is not of the image's `size` (width, height), or if the objects are much the same.
    """
    whole, *more = (_labels(path, ids, image, size, len(palette) - 1) for path in paths)  # (H, W) each
    ignore = label_format(len(palette) - 1).ignore
    area = np.count_nonzero(_is_object(whole, ignore))
    for part in more:
        inside, there = _is_object(part, ignore), _is_object(whole, ignore)
        area += np.count_nonzero(inside)
        if (whole[inside & there] != part[inside & there]).any() or np.count_nonzero(inside | there) < DISTINCT * area:
            raise WsssError(
                f"{paths[0]} and {len(paths) - 1} more masks of {image} overlap, so they are not one object each",
                "of masks by several people keep one",
            )
        whole = np.where(inside | ~there & (part == ignore), part, whole)
    write_labels(to, whole, palette)


def _is_object(labels: NDArray[np.unsignedinteger[Any]], ignore: int) -> NDArray[np.bool_]:
    return (labels != 0) & (labels != ignore)


def _labels(
    path: Path, ids: Mapping[int, int], image: Path, size: tuple[int, int], num_classes: int
) -> NDArray[np.unsignedinteger[Any]]:
    """(H, W) class ids of one file.  Raises WsssError if it is not of the image's `size` (width, height)."""
    values = mask_values(path, ids)  # (H, W)
    height, width = values.shape
    if (width, height) != size:
        raise WsssError(
            f"{path} is {width} x {height}, but its image {image} is {size[0]} x {size[1]}",
            "give the mask of this very image, unscaled",
        )
    found, where = np.unique(values, return_inverse=True)
    table = np.array([ids[int(v)] for v in found], np.dtype(label_format(num_classes).dtype))
    labels: NDArray[np.unsignedinteger[Any]] = table[where.reshape(height, width)]  # (H, W)
    return labels


def mask_stems(name: str) -> tuple[str, ...]:
    """What the image of a mask can be called, both without ending."""
    return (name, *_without_suffix(name))


def _names(name: str) -> tuple[str, ...]:
    """What the image of a mask can be called: as the mask, or without _mask, or _mask_1, at the end."""
    plain = name.rpartition(".")[0]
    return (name, *mask_stems(plain))


def _without_suffix(plain: str) -> list[str]:
    found = SUFFIX.fullmatch(plain)
    start, number = found.groups() if found else ("", None)
    return [start + number, start] if number else [start] if start else []
