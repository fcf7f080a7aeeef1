"""Which image does an annotation mean?  Annotations name images by all kinds of paths."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from wsss_cli.errors import WsssError
from wsss_cli.plugins import nearest
from wsss_folder.catalogue import ENDINGS

SEARCHED = 2000  # names among which the nearest one is looked for


class Finder:
    """Finds the one image that a path means.

    The path and the image's own are compared from the end: one must be the end of the other, so that a folder that
    differs is never passed over.  The ending may be missing or be that of another image format.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.folders = [tuple(name.split("/")[:-1]) for name in names]
        self.by_file: dict[str, list[int]] = {}
        self.by_stem: dict[str, list[int]] = {}
        self.by_slug: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            file = name.rpartition("/")[2]
            self.by_file.setdefault(file, []).append(number)
            self.by_stem.setdefault(stem(file), []).append(number)
            self.by_slug.setdefault(slug(file), []).append(number)

    def find(self, wanted: Sequence[str]) -> int:
        """The number of the image that the first fitting one of the paths `wanted` means.

        Raises WsssError if none fits, or if one fits several images.
        """
        for path in wanted:
            *folders, file = _parts(path) or [""]
            keys = ((self.by_file, file), (self.by_stem, file), (self.by_stem, stem(file)), (self.by_slug, file))
            for table, key in keys:
                fits = _fitting([(n, self.folders[n]) for n in table.get(key, ())], tuple(folders))
                if len(fits) > 1:
                    shown = ", ".join(f"'{self.names[n]}'" for n in fits[:3])
                    raise WsssError(
                        f"'{path}' could mean {shown}{' and others' if len(fits) > 3 else ''}",
                        "give the path below --images, with its ending",
                    )
                if fits:
                    return fits[0]
        near = nearest("/".join(_parts(wanted[0])), self.names) if len(self.names) <= SEARCHED else ""
        raise WsssError(f"there is no image '{wanted[0]}'{near}", "put it there, or take it out of the annotations")

    def has(self, *wanted: str) -> bool:
        """Whether any of the paths means one image."""
        try:
            self.find(wanted)
        except WsssError:
            return False
        return True


def stem(file: str) -> str:
    """A file name without the ending of an image."""
    start, dot, ending = file.rpartition(".")
    return start if dot and f".{ending.lower()}" in ENDINGS else file


def slug(file: str) -> str:
    """A file name as web tools store it: spaces become underscores, signs go."""
    return re.sub(r"[^-\w.]", "", file.replace(" ", "_"))


def _parts(path: str) -> list[str]:
    path = unicodedata.normalize("NFC", path.strip()).replace("\\", "/")
    return [part for part in path.split("/") if part not in ("", ".", "..")]


def _fitting(candidates: list[tuple[int, tuple[str, ...]]], wanted: tuple[str, ...]) -> list[int]:
    """Of the candidates (number, folders) those that `wanted` can mean; one that says the most wins over the others."""
    fits = [(n, own) for n, own in candidates if _agree(own, wanted)]
    told = [(n, own) for n, own in fits if len(own) <= len(wanted)]  # all their folders are in the path
    if told:
        most = max(len(own) for _, own in told)
        fits = [(n, own) for n, own in told if len(own) == most]
    return [n for n, _ in fits]


def _agree(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    shared = min(len(a), len(b))
    return a[len(a) - shared :] == b[len(b) - shared :]
