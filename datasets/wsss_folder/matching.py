"""Which image does an annotation mean?  Annotations name images by all kinds of paths."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit

from wsss_cli.data.image_files import ENDINGS
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_folder.catalogue import make_ids
from wsss_folder.split_names import told_by

SEARCHED = 2000  # names among which the nearest one is looked for


class Finder:
    """Finds the one image that a path means.

    The path and the image's own are compared from the end: one must be the end of the other, so that a folder that
    differs is never passed over.  The ending may be missing or be that of another image format.  Where nothing fits,
    the name may be the image's id, as exported label maps have it, the case of letters does not count, and %20 is a
    space.
    """

    def __init__(self, names: Sequence[str], above: str = "") -> None:
        """above  the name of the folder of all."""
        self.names = names
        self.above = above
        self.whole: dict[str, list[int]] = {}  # by path without ending
        self.ends: dict[str, list[int]] = {}  # by what is left of it without its first folders
        self.slugs: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            end = stem(name)
            self.whole.setdefault(end, []).append(number)
            while "/" in end:
                end = end.partition("/")[2]
                self.ends.setdefault(end, []).append(number)
            file = name.rpartition("/")[2]
            if slug(file) != file:
                self.slugs.setdefault(slug(file), []).append(number)

    def find(self, wanted: Sequence[str], barred: Collection[str] = ()) -> int:
        """The number of the image that the first fitting one of the paths `wanted` means.

        barred  splits in whose folders (see `split_of`) no image is meant by a path without these folders
        Raises WsssError if none fits, or if one fits several images.
        """
        for path, found in self._tries(wanted):
            fits = [n for n in found if self.split_of(n) not in barred or self._is_spelt(n, path)]
            if len(fits) > 1:
                shown = ", ".join(f"'{self.names[n]}'" for n in fits[:3])
                raise WsssError(
                    f"'{path}' could mean {shown}{' and others' if len(fits) > 3 else ''}",
                    "give the path below --images, with its ending",
                )
            if fits:
                return fits[0]
        near = nearest(_tidy(wanted[0]), self.names) if len(self.names) <= SEARCHED else ""
        raise WsssError(f"there is no image '{wanted[0]}'{near}", "put it there, or take it out of the annotations")

    def split_of(self, number: int) -> str:
        """The split that the folders of an image tell, or else the folder of all; "" if none."""
        return told_by(self.names[number].split("/")[:-1]) or told_by([self.above])

    def _is_spelt(self, number: int, path: str) -> bool:
        """Whether a path has all folders of an image, of which there is one at least."""
        own = stem(self.names[number])
        return "/" in own and f"/{stem(path)}".endswith(f"/{own}")

    def _tries(self, wanted: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
        """Each path and the images that it can mean: as it is, then in any case."""
        paths = [_tidy(url_path(path)) for path in (*wanted, *filter(None, map(_as_uploaded, wanted)))]
        yield from ((path, self._fits(path)) for path in paths)
        yield from ((path, self._loose._fits(_loosened(path))) for path in paths)

    @cached_property
    def _loose(self) -> Finder:
        return Finder([_loosened(name) for name in self.names])

    def _fits(self, path: str) -> list[int]:
        """The images that a path can mean: with its very ending if there are any, else with another."""
        file = path.rpartition("/")[2]
        other = self._ending_in(stem(path))
        same = [n for n in other if self.names[n].endswith(file)] if file != stem(file) else []
        return same or self._ending_in(path) or other or self.slugs.get(file) or self._ids.get(stem(file), [])

    @cached_property
    def _ids(self) -> dict[str, list[int]]:
        return {id: [number] for number, id in enumerate(make_ids(self.names))}

    def _ending_in(self, end: str) -> list[int]:
        """Images by path without ending: the longest one that `end` ends in; if there is none, those that end in it."""
        rest = end
        while rest:
            if rest in self.whole:
                return self.whole[rest]
            rest = rest.partition("/")[2]
        return self.ends.get(end, [])

    def has(self, *wanted: str) -> bool:
        """Whether the first fitting one of the paths means one image."""
        return self._count(wanted) == 1

    def knows(self, *wanted: str) -> bool:
        """Whether a path fits an image, or several."""
        return self._count(wanted) > 0

    def _count(self, wanted: Sequence[str]) -> int:
        return len(next((fits for _, fits in self._tries(wanted) if fits), []))


def stem(file: str) -> str:
    """A path without the ending of an image."""
    start, dot, ending = file.rpartition(".")
    return start if dot and f".{ending.lower()}" in ENDINGS else file


def url_path(name: str) -> str:
    """The path in a URL, without %20 and the like, or in ?d= as Label Studio names local files; any other name."""
    parts = urlsplit(name)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0]
    return unquote(parts.path) if "://" in name else name


def without_upload(file: str) -> str:
    """A file name without the prefix that Label Studio gives to uploaded files: 1a2b3c4d-name.png."""
    return re.sub(r"^[0-9a-f]{8}-(?=.)", "", file)


def _as_uploaded(path: str) -> str:
    """The file name that an uploaded file had; "" if the path has no such prefix."""
    file = url_path(path).replace("\\", "/").rpartition("/")[2]
    return without_upload(file) if without_upload(file) != file else ""


def slug(file: str) -> str:
    """A file name as web tools store it: spaces become underscores, signs go."""
    return re.sub(r"[^-\w.]", "", file.replace(" ", "_"))


def _loosened(path: str) -> str:
    """In any case, and with %20 read as a URL has it."""
    return unicodedata.normalize("NFC", unquote(path).casefold())


def _tidy(path: str) -> str:
    """With "/" between folders, composed characters, and no way up or roundabout."""
    path = unicodedata.normalize("NFC", path.strip()).replace("\\", "/")
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
