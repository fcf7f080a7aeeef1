"""Masks that lie among their images, in the same folder: 100_sat.jpg and 100_mask.png, exp1.jpg and exp1.png."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wsss_folder.affixes import rules
from wsss_folder.catalogue import Found
from wsss_folder.few_values import Pair, are_masks
from wsss_folder.masks import mask_stems


def find_twins(images: Sequence[Found]) -> set[str]:
    """Of the names of images those of masks of others in their folder: called by one rule, and of few values."""
    folders: dict[str, list[Found]] = {}
    for image in images:
        folders.setdefault(image.name.rpartition("/")[0], []).append(image)
    groups = (pairs for inside in folders.values() if len(inside) > 1 for pairs in _groups(inside))
    return {mask.name for pairs in groups if are_masks(pairs) for mask, _ in pairs}


def _groups(inside: Sequence[Found]) -> Iterator[list[Pair]]:
    """Pictures of one folder that may be masks, with the images that they are of, by each rule of their names."""
    of: dict[str, list[Found]] = {}
    for image in inside:
        of.setdefault(image.name.rpartition(".")[0], []).append(image)
    for kind in sorted({image.path.suffix for image in inside}):
        yield [(one, other) for both in of.values() for one in both for other in both if _differ(one, other, kind)]
    yield _pairs(of, {stem: other for stem in of for other in mask_stems(stem)[1:] if other in of})
    for rule in rules([*of], [*of]):
        yield _pairs(of, {stem: other for stem in of if (other := rule.image(stem)) in of})


def _differ(one: Found, other: Found, kind: str) -> bool:
    return one.path.suffix == kind != other.path.suffix


def _pairs(of: Mapping[str, Sequence[Found]], image_of: Mapping[str, str]) -> list[Pair]:
    return [(mask, of[image][0]) for stem, image in image_of.items() for mask in of[stem]]
