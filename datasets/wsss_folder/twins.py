"""Masks that lie among their images, in the same folder: 100_sat.jpg and 100_mask.png, exp1.jpg and exp1.png."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from wsss_folder.affixes import rules
from wsss_folder.catalogue import Found
from wsss_folder.few_values import Pair, are_masks
from wsss_folder.masks import mask_stems

NAMED = 0.9  # of the pictures of a kind, or of a folder that is not called masks, so many have the name of an image


def find_twins(images: Sequence[Found], known: Set[str] = frozenset(), usual: bool = False) -> set[str]:
    """Of the names of images those of masks of others in their folder: called by one rule, and of few values.

    known  names of images, which are no masks;  usual  x_mask of x and the like alone
    """
    folders: dict[str, list[Found]] = {}
    for image in images:
        folders.setdefault(image.name.rpartition("/")[0], []).append(image)
    groups = (pairs for inside in folders.values() if len(inside) > 1 for pairs in _groups(inside, usual))
    sound = (pairs for pairs in groups if known.isdisjoint(mask.name for mask, _ in pairs))
    return {mask.name for pairs in sound if are_masks(pairs) for mask, _ in pairs}


def _groups(inside: Sequence[Found], usual: bool) -> Iterator[list[Pair]]:
    """Pictures of one folder that may be masks, with the images that they are of, by each rule of their names."""
    of: dict[str, list[Found]] = {}
    for image in inside:
        of.setdefault(image.name.rpartition(".")[0], []).append(image)
    yield _pairs(of, {stem: other for stem in of for other in mask_stems(stem)[1:] if other in of})
    for rule in () if usual else rules([*of], [*of]):
        yield _pairs(of, {stem: other for stem in of if (other := rule.image(stem)) in of})
    for kind in () if usual else sorted({image.path.suffix for image in inside}):
        pairs = [(one, other) for both in of.values() for one in both for other in both if _differ(one, other, kind)]
        alone = len(pairs) < max(2, NAMED * sum(image.path.suffix == kind for image in inside))
        yield [] if alone else pairs


def _differ(one: Found, other: Found, kind: str) -> bool:
    return one.path.suffix == kind != other.path.suffix


def _pairs(of: Mapping[str, Sequence[Found]], image_of: Mapping[str, str]) -> list[Pair]:
    return [(mask, of[image][0]) for stem, image in image_of.items() for mask in of[stem]]
