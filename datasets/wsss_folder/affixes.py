"""How the names of masks differ from those of their images: 21_manual1 is the mask of 21_training."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from wsss_folder.few_values import some_of

LOOKED_AT = 200  # names by which a rule is found
ROLE = re.compile(
    r"(mask|msk|label|annot|seg|target|trimap|instance|semantic)\w*|labs?|gts?|fg|anno?|manual|truth|groundtruth|l",
    re.IGNORECASE,
)
"""What masks are called: a rule without it could be between two sites, classes or channels."""
PARTS = 3  # of a name, between separators, that an affix has at most
SHARE = 0.1  # of the names that have an affix at least
AFFIXES = 8  # that are tried

Affix = tuple[str, str]  # how a name begins, and ends
NONE: Affix = ("", "")


@dataclass(frozen=True)
class Rule:
    """of_mask  what the names of masks begin and end with, in the place of which those of images have of_image."""

    of_mask: Affix = NONE
    of_image: Affix = NONE

    def __str__(self) -> str:
        return f"{'*'.join(self.of_mask)} of {'*'.join(self.of_image)}"

    def image(self, mask: str) -> str | None:
        """The path of the image of a mask, both without ending; None where the mask is not called so."""
        folder, slash, name = mask.rpartition("/")
        start, end = self.of_mask
        if not (name.startswith(start) and name.endswith(end) and len(name) > len(start + end)):
            return None
        core = name.removeprefix(start).removesuffix(end)
        return f"{folder}{slash}{self.of_image[0]}{core}{self.of_image[1]}"


def rules(masks: Sequence[str], images: Sequence[str]) -> list[Rule]:
    """The rules by which some of the masks are those of images, that of most masks first, of these the shortest.

    masks, images  paths without ending, all different.  That the names are the same, Rule(), is not among them.
    """
    looked_at, known = some_of(masks, LOOKED_AT), frozenset(images)
    of_masks = [affix for affix in _affixes(looked_at) if tells_role("".join(affix))][:AFFIXES]
    if not of_masks:
        return []
    pairs = product(of_masks, [NONE, *_affixes(some_of(images, LOOKED_AT))[:AFFIXES]])
    counts = Counter(
        rule
        for rule in (Rule(*pair) for pair in pairs)
        if rule.of_mask != rule.of_image
        for mask in looked_at
        if rule.image(mask) in known
    )
    likely = [rule for rule, count in counts.items() if count >= max(2, SHARE * len(looked_at))]
    return sorted(likely, key=lambda rule: (-counts[rule], len("".join(rule.of_mask + rule.of_image))))


def tells_role(name: str) -> bool:
    """Whether a part of a name is what masks are called: of 5_Labels_all, gtFine, GroundTruth."""
    return any(ROLE.fullmatch(part) for part in re.findall("[A-Z]+(?![a-z])|[A-Za-z][a-z]*", name))


def _affixes(paths: Sequence[str]) -> list[Affix]:
    """Those that many of the names have, the most frequent ones first."""
    counts = Counter(affix for path in paths for affix in _of(path.rpartition("/")[2]))
    least = max(2, SHARE * len(paths))
    return [affix for affix, count in counts.most_common() if count >= least]


def _of(name: str) -> Iterator[Affix]:
    """Beginnings and ends of a name that hold a letter: up to a separator, or where letters and digits meet."""
    ends = [found.start() for found in re.finditer(r"[-_. ]|(?<=\d)(?=[A-Za-z]+$)", name)]
    starts = [found.end() for found in re.finditer(r"[-_. ]|(?<=[A-Za-z])(?=\d)", name)]
    found = [*(("", name[cut:]) for cut in ends[-PARTS:]), *((name[:cut], "") for cut in starts[:PARTS])]
    yield from (affix for affix in found if re.search("[A-Za-z]", "".join(affix)))
