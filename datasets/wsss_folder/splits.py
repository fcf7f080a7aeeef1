"""Which images to learn from and which to score on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source
from wsss_folder.split_lists import Lists
from wsss_folder.split_names import meant, split_folders
from wsss_folder.stratify import stratified

SHARE = 0.2
"""Of the images to score on."""
ENOUGH = 30
"""Masks to score on, where a share of them would be fewer: from less a mean IoU says little."""


@dataclass(frozen=True)
class Splits:
    """of  the splits of each image by its number, () for one in none; roles as in DatasetInfo; how, for people."""

    of: dict[int, tuple[str, ...]]
    roles: dict[str, str]
    how: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """How --val draws: share, seed, group_by, and whether from images with a mask only.

    share  None: SHARE, of masks at least ENOUGH, but no more than half of them
    """

    share: float | None
    seed: int
    group_by: str
    masked_only: bool


def from_lists(lists: Lists, kept: Sequence[int]) -> Splits:
    """As the lists say.  Where they name no train, what no list names is train; else it is in no split."""
    of = {n: lists.splits.get(n, ()) for n in kept}
    rest = [n for n in kept if not of[n]]
    how = [f"splits from {', '.join(map(str, lists.paths))}"]
    if rest and not any("train" in splits for splits in of.values()):
        of.update(dict.fromkeys(rest, ("train",)))
        how.append(f"train: the {len(rest)} images that no list names")
    elif rest:
        how.append(f"{len(rest)} images left out, since no list names them")
    return Splits(of, roles(of.values()), tuple(how))


def from_folders(names: Sequence[str], kept: Sequence[int]) -> Splits | None:
    """By the folders train, val, ... that all images lie in; None if they do not."""
    found = split_folders(names)
    if found is None:
        return None
    of: dict[int, tuple[str, ...]] = {n: (found[n],) for n in kept}
    return Splits(of, roles(of.values()), ("splits from the folders of the images (--val SHARE to draw instead)",))


def from_records(sources: Sequence[Source], records: Sequence[Sequence[Record]], kept: Sequence[int]) -> Splits | None:
    """As the annotations say (CVAT's subsets, YOLO's data.yaml); None unless they tell two splits or more."""
    of = {n: tuple(dict.fromkeys(meant(record.split) for record in records[n] if record.split)) for n in kept}
    if len({name for names in of.values() for name in names}) < 2:
        return None
    paths = tuple(source.place for source in sources if any(record.split for record in source.records))
    return from_lists(Lists(paths, of, []), kept)


def from_found(lists: Lists | None, kept: Sequence[int]) -> Splits | None:
    """As lists say that nobody asked for; None if there are none."""
    found = from_lists(lists, kept) if lists else None
    return replace(found, how=(f"{found.how[0]} (--val SHARE to draw instead)", *found.how[1:])) if found else None


def with_test(of_train: Splits, test: Collection[int]) -> Splits:
    """A split of what train held, beside images of test of which nothing is known."""
    if not test:
        return of_train
    told = f"nothing is known of the {len(test)} images in test: val is drawn from train"
    return Splits({**of_train.of, **dict.fromkeys(test, ("test",))}, of_train.roles, (*of_train.how, told))


def drawn(names: Sequence[str], tags: Mapping[int, frozenset[str]], masked: frozenset[int], draw: Draw) -> Splits:
    """A share drawn at random in which every class has its share too, and so have images with masks.

    tags  of each image to be split, by its number; images of one group stay together.
    """
    groups: dict[str, list[int]] = {}
    for n in tags:
        groups.setdefault(group_of(names[n], draw.group_by), []).append(n)
    units = {group: _vector(members, tags, masked) for group, members in groups.items()}
    eligible = {group: units[group] for group, members in groups.items() if masked.intersection(members)}
    usual = _share(len(masked))
    if not draw.masked_only or len(eligible) < 2:
        eligible, usual = units, SHARE
    elsewhere = {label for group in units.keys() - eligible.keys() for label in units[group]}
    share = draw.share or usual
    val = stratified(eligible, share, draw.seed, elsewhere)
    of: dict[int, tuple[str, ...]] = {
        n: ("val",) if group in val else ("train",) for group, members in groups.items() for n in members
    }
    images = sum(len(groups[group]) for group in val)
    return Splits(of, roles(of.values()), (_how(draw, share, len(val), len(eligible), len(units), images),))


def group_of(name: str, by: str) -> str:
    """The group of an image: itself, its folder, or what the regex finds (its first group, if it has one).

    Raises WsssError for a regex that is none or finds nothing.
    """
    if by == "none":
        return name
    if by == "folder":
        return name.rpartition("/")[0] or name
    try:
        found = re.search(by, name)
    except re.error as error:
        raise WsssError(
            f"--group-by '{by}' is no regular expression: {error}", "for example: --group-by '^([^_]+)_'"
        ) from error
    if found is None:
        raise WsssError(
            f"--group-by '{by}' finds nothing in '{name}'", "every image needs a group; the path is searched"
        )
    return found.group(1 if found.re.groups else 0) or name


def roles(splits: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """train and val; test stands in where there is no val.  CAMs and pseudo-labels are scored on train."""
    there = {name for one in splits for name in one}
    return {"train": "train", "val": "test" if "val" not in there and "test" in there else "val", "seeds": "train"}


def _vector(members: Sequence[int], tags: Mapping[int, frozenset[str]], masked: frozenset[int]) -> Counter[Hashable]:
    """How many images of the group have each tag, none, a mask; None counts all."""
    vector: Counter[Hashable] = Counter({None: len(members)})
    for n in members:
        vector.update(("tag", tag) for tag in tags[n])
        vector.update([("tagless",)] if not tags[n] else [])
        vector.update([("masked",)] if n in masked else [])
    return vector


def _share(masks: int) -> float:
    return max(SHARE, min(0.5, ENOUGH / max(1, masks)))


def _how(draw: Draw, share: float, val: int, eligible: int, units: int, images: int) -> str:
    what = "images" if draw.group_by == "none" else f"groups ({draw.group_by})"
    source = f"{eligible} {what}" + (" with a mask" if eligible < units else "")
    more = "" if draw.group_by == "none" else f", {images} images"
    return f"val: {val} of {source}{more}, drawn with seed {draw.seed} so that each tag has its share of {share:.3g}"
