"""What the values of masks mean: "0=background,128=tumour,255=ignore", colours, or a file of such lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.prepared import class_id
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_text

BACKGROUND = ("background", "_background_", "__background__")
IGNORE = "__ignore__"  # labelme's name, under which all of these go
IGNORED = ("ignore", "ignored", "ignore*", "void", "unlabelled", "unlabeled", "_ignore_", IGNORE, "dontcare",
           "don't care", "ignore region", "ignored region", "ignore regions", "ignored regions")  # fmt: skip
TABLES = ("labelmap.txt", "_classes.csv", "class_dict.csv")  # CVAT's and Datumaro's, Roboflow's, Kaggle's CamVid
HEADER = re.compile(r"pixel value,\s*class|(name|class|label),\s*r(ed)?,\s*g(reen)?,\s*b(lue)?", re.IGNORECASE)
COLOUR = 1 << 24  # a colour is kept as COLOUR + 0xRRGGBB, apart from the grey values and palette ids


def is_background(name: str) -> bool:
    """Whether a name means background, which is no class, in any case."""
    return name.strip().casefold() in BACKGROUND


def is_no_class(name: str) -> bool:
    """Whether a name of a source that is read means background or, by then IGNORE, what does not count."""
    return is_background(name) or name == IGNORE


def is_ignored(name: str) -> bool:
    """Whether a name means pixels that do not count, in any case."""
    return name.strip().casefold() in IGNORED


@dataclass(frozen=True)
class Values:
    """names by mask value, as asked; where is the option or file, for messages."""

    names: Mapping[int, str]
    where: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that are classes, in order."""
        return tuple(dict.fromkeys(name for value, name in self.names.items() if value not in self.nothing))

    @property
    def nothing(self) -> frozenset[int]:
        """The values of background, and of what does not count."""
        return frozenset(value for value, name in self.names.items() if is_background(name) or is_ignored(name))

    def ids(self, classes: tuple[str, ...]) -> dict[int, int]:
        """Class id of each value.  Raises WsssError for a name that is no class."""
        ignore = label_format(len(classes)).ignore
        return {value: self._id(name, classes, ignore) for value, name in self.names.items()}

    def _id(self, name: str, classes: tuple[str, ...], ignore: int) -> int:
        if is_background(name):
            return 0
        if is_ignored(name):
            return ignore
        try:
            return class_id(name, classes)
        except WsssError as error:
            remedy = f"{error.remedy}; of no class? write background or ignore, or take tags with --tags-from-masks"
            raise WsssError(f"{self.where}: {error.what}", remedy) from error


def parse_values(text: str) -> Values:
    """The table of --mask-values, or of the file of that name.  Raises WsssError naming the item or line."""
    path = Path(text)
    if "=" not in text and path.is_file():
        lines = [(f"{path}, line {n}", line.strip()) for n, line in enumerate(read_text(path).splitlines(), 1)]
        items = [(where, line) for where, line in lines if line and not line.startswith("# ")]
        items = items[1:] if items and HEADER.fullmatch(items[0][1]) else items
    else:
        items = [("--mask-values", item.strip()) for item in text.split(",") if item.strip()]
    names: dict[int, str] = {}
    for (where, item), (value, name) in zip(items, _meanings(items)):
        if names.setdefault(value, name) != name:
            raise WsssError(f"{where}: '{item}' gives a value a second meaning, after '{names[value]}'", "remove one")
    if not names:
        raise WsssError(f"--mask-values '{text}' holds nothing", "for example: 0=background,128=tumour,255=ignore")
    if len({value >= COLOUR for value in names}) > 1:
        raise WsssError(f"--mask-values '{text}' mixes values and colours", "give one or the other")
    return Values(names, items[0][0].partition(", line")[0])


def table_beside(masks: Path) -> str:
    """The table that a program wrote into the folder of the masks, the one above, or one for each split; "" if none.

    Of several in folders of splits, as Roboflow writes them, the first, if all say the same.
    """
    near = (path for folder in (masks, masks.parent) for name in TABLES if _is_table(path := folder / name))
    found = next(near, None)
    if found is not None:
        return str(found)
    of_splits = [path for path in sorted(masks.glob("*/_classes.csv")) if _is_table(path)]
    if len({read_text(path) for path in of_splits}) > 1:
        what = f"what the values of the masks mean differs: {', '.join(map(str, of_splits))}"
        raise WsssError(what, "make them alike, or say it for all: --mask-values FILE")
    return str(of_splits[0]) if of_splits else ""


def _is_table(path: Path) -> bool:
    """Whether it is CVAT's, or begins with the header of one."""
    return path.is_file() and (
        path.name == TABLES[0] or bool(HEADER.fullmatch(read_text(path).partition("\n")[0].strip()))
    )


def _meanings(items: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Value and name of each item; CVAT's NAME:::, all without colours, have VOC's colours in their order."""
    plain = [re.fullmatch(r"([^:=]+)::[^:]*:[^:]*", item) for _, item in items]
    if not items or not all(plain):
        return [_item(item, where) for where, item in items]
    colours = voc_palette(len(items))
    return [(COLOUR + (r << 16 | g << 8 | b), line[1].strip()) for line, (r, g, b) in zip(plain, colours) if line]


def _item(item: str, where: str) -> tuple[int, str]:
    """VALUE=NAME, #RRGGBB=NAME, R/G/B=NAME, or as in files: CVAT's NAME:R,G,B:parts:actions, VALUE, NAME (Roboflow's
    _classes.csv), NAME, R, G, B (class_dict.csv) and R G B NAME (CamVid's label_colors.txt)."""
    left, equals, name = (part.strip() for part in item.partition("="))
    if equals and name:
        if re.fullmatch(r"\d{1,5}", left):
            return int(left), name
        if re.fullmatch(r"#[0-9a-fA-F]{6}", left):
            return COLOUR + int(left[1:], 16), name
        if re.fullmatch(r"\d+/\d+/\d+", left):
            return _colour(left.split("/"), item, where), name
    line = re.fullmatch(r"([^:]+):(\d+),(\d+),(\d+)(:.*)?", item)
    if line:
        return _colour(list(line.group(2, 3, 4)), item, where), line[1].strip()
    if line := re.fullmatch(r"([^,=]*[^,=\d\s][^,=]*),\s*(\d+),\s*(\d+),\s*(\d+)", item):
        return _colour(list(line.group(2, 3, 4)), item, where), line[1].strip()
    if line := re.fullmatch(r"(\d+)\s+(\d+)\s+(\d+)\s+(\D.*)", item):
        return _colour(list(line.group(1, 2, 3)), item, where), line[4].strip()
    if line := re.fullmatch(r"(\d{1,5}),\s*([^,]+)", item):
        return int(line[1]), line[2].strip()
    raise WsssError(f"{where}: '{item}' is not VALUE=NAME", "for example: 0=background,128=tumour, or #ff0000=tumour")


def _colour(parts: list[str], item: str, where: str) -> int:
    r, g, b = map(int, parts)
    if max(r, g, b) > 255:
        raise WsssError(f"{where}: '{item}' is no colour", "red, green and blue are 0..255")
    return COLOUR + (r << 16 | g << 8 | b)
