"""Tags in the names of the images, as data sets of tissue have them: 4368-84-55-[1, 0, 1].png, ...+0[1101].png."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_folder.matching import stem
from wsss_folder.record import Record, Source

VECTOR = re.compile(r"\[([01](?:[\s,_]*[01])+)\]$")
SHARE = 0.5
"""Of the images of a data set that have tags in their names at least: those to score on may have none."""


def vector_of(name: str) -> tuple[int, ...]:
    """The zeros and ones at the end of an image's name, () if there are none."""
    found = VECTOR.search(stem(name))
    return tuple(map(int, re.findall(r"[01]", found[1]))) if found else ()


def looks_so(names: Sequence[str]) -> bool:
    """Whether at least half of the images have tags in their names, all of as many classes."""
    vectors = [vector for name in names if (vector := vector_of(name))]
    return bool(vectors) and len(vectors) >= SHARE * len(names) and len(set(map(len, vectors))) == 1


def read_names(root: Path, names: Sequence[str], asked: Sequence[str]) -> Source:
    """The tags of the images that have some in their names.

    asked  the classes in the order of the numbers; without them they are called "1", "2", ...
    Raises WsssError: no image has any, numbers of another count than the classes.
    """
    vectors = {name: vector for name in names if (vector := vector_of(name))}
    counts = sorted(set(map(len, vectors.values())))
    if not counts:
        raise WsssError(f"no image in {root} has tags in its name", "they end it: a-[1, 0, 1].png")
    classes = tuple(asked) or tuple(map(str, range(1, counts[-1] + 1)))
    if counts != [len(classes)]:
        shown = " and ".join(map(str, counts))
        raise WsssError(
            f"the names of the images end in {shown} numbers",
            f"give as many names: --classes a,b,c ({len(classes)} now)",
        )
    records = [
        Record((name,), str(root / name), tuple(c for c, there in zip(classes, vector, strict=True) if there))
        for name, vector in vectors.items()
    ]
    note = () if asked else ("classes are called by their places: --classes a,b,c names them",)
    return Source("tags in the names of the images", root, records, classes, notes=note)
