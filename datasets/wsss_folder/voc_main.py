"""Tags from VOC's lists ImageSets/Main/CLASS_trainval.txt: an image and -1, 0 or 1 in each line."""

from __future__ import annotations

import re
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_text
from wsss_folder.record import Record, Source

LINE = re.compile(r"(\S+)\s+(-1|0|1)")
SPLIT_END = re.compile(r"_(train|val|trainval|test)$")


def is_main(text: str) -> bool:
    """Whether every line is an image and -1, 0 or 1."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(map(LINE.fullmatch, lines))


def read_main(place: Path) -> Source:
    """The class of each list, the file's name without _train, _val, ...; 1 says that it is there, 0 that only objects
    are that VOC calls difficult, which like -1 is no tag.

    place  one list, or the folder of them, in which lists of another form are passed over.  Raises WsssError.
    """
    files = sorted(place.glob("*.txt")) if place.is_dir() else [place]
    texts = {path: text for path in files if is_main(text := read_text(path))}
    if not texts:
        raise WsssError(f"{place} holds no list of VOC's ImageSets/Main", "its lines are an image and -1, 0 or 1")
    records = [record for path, text in texts.items() for record in _records(path, text)]
    return Source("VOC lists", place, records)


def _records(path: Path, text: str) -> list[Record]:
    name = SPLIT_END.sub("", path.stem)
    found = [(n, LINE.fullmatch(line.strip())) for n, line in enumerate(text.splitlines(), start=1)]
    return [Record((row[1],), f"{path}, line {n}", (name,) if row[2] == "1" else ()) for n, row in found if row]
