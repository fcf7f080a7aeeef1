"""The images of a folder and the id of each."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.data.image_files import ENDINGS, files_below
from wsss_cli.errors import WsssError
from wsss_cli.names import CONTROL

RAW = frozenset(
    f".{kind}"
    for kind in ["dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "psd", "svg", "czi", "nd2", "svs", "dcm"]
)
"""Pictures of other programs, which are passed over, but said."""

IMAGES = ("images", "image", "imgs", "img", "img_dir", "jpegimages")
"""What the folder of the images is called, beside folders of other things."""
LONGEST = 180  # bytes of an id: a file system takes 255, and endings and temporary names come on top


@dataclass(frozen=True)
class Found:
    """An image: its file, its path below the folder with "/" (composed characters, NFC), its id."""

    path: Path
    name: str
    id: str


def image_folder(folder: Path) -> Path:
    """`folder`, or the one folder in it that is called `images` or the like, if that is where they are.

    Raises WsssError if it is no folder.
    """
    if not folder.is_dir():
        raise WsssError(f"there is no folder {folder}", "give the folder of the images with --images")
    there = list(folder.iterdir())
    inside = [path for path in there if path.name.casefold() in IMAGES and path.is_dir()]
    inside = [path for path in inside if path.name.casefold() == IMAGES[0]] or inside
    direct = any(path.suffix.lower() in ENDINGS for path in there)
    return (inside[0] if len(inside) == 1 and not direct else folder).absolute()


def find_images(root: Path, leave_out: Collection[Path] = ()) -> list[Found]:
    """Every image below root, ordered by name; hidden files and the folders `leave_out` are passed over.

    Raises WsssError if there is none, for a name that is no text, and for two that differ in composition alone.
    """
    paths: dict[str, Path] = {}
    for path in files_below(root, ENDINGS, leave_out):
        other = paths.setdefault(_name(path, root), path)
        if other is not path:
            what = f"{str(other)!a} and {str(path)!a} are one name, its characters composed in two ways"
            raise WsssError(what, "rename one of them, or remove it if it is the same image")
    if not paths:
        raise WsssError(f"{root} holds no image", f"known endings: {' '.join(sorted(ENDINGS))}")
    names = sorted(paths)
    return [Found(paths[name], name, id) for name, id in zip(names, make_ids(names), strict=True)]


def make_ids(names: Sequence[str]) -> list[str]:
    """An id for each path: a plain file name, since results are written as <id>.png; no two alike in any case.

    "slide 1/tile_3.png" -> "slide 1__tile_3".  Where two would be alike (a.jpg and a.png) both keep their ending;
    where that is not enough (a/b.png and a__b.png), or the id would be too long, a hash of the path is added.
    """
    short = [_flat(os.path.splitext(name)[0]) for name in names]  # noqa: PTH122  names are no paths of this system
    count = Counter(map(str.casefold, short))
    longer = [flat if count[flat.casefold()] == 1 else _flat(name) for flat, name in zip(short, names, strict=True)]
    count = Counter(map(str.casefold, longer))
    return [
        id if count[id.casefold()] == 1 and len(id.encode()) <= LONGEST else _hashed(id, name)
        for id, name in zip(longer, names, strict=True)
    ]


def _flat(name: str) -> str:
    return re.sub(rf'{CONTROL.pattern}|[<>:"|?*\\]|^\s|\s$', "_", name.replace("/", "__"))


def _hashed(id: str, name: str) -> str:
    start = id.encode()[: LONGEST - 17].decode(errors="ignore")
    return f"{start}-{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


def _name(path: Path, root: Path) -> str:
    name = unicodedata.normalize("NFC", str(path)[len(str(root)) + 1 :].replace(os.sep, "/"))
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise WsssError(f"the name {os.fsencode(path)!r} is no UTF-8", "rename the file") from error
    return name
