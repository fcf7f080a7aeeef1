"""The colours of a data set's class ids."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_cli.data.labels import voc_palette
from wsss_cli.data.prepared import Prepared

Colour = tuple[int, int, int]


def colours(data: Prepared) -> list[Colour]:
    """The colours of ids 0..C; those of VOC where the data set names none."""
    given = data.info.palette[: data.num_classes + 1]
    return [*given, *voc_palette(data.num_classes + 1)[len(given) :]]


def colours_of(names: Sequence[str], data: Prepared) -> list[Colour]:
    """Those of ids 0, 1, ... called `names`, which may be of before the data set's classes changed."""
    known = dict(zip(("background", *data.info.classes), colours(data)))
    return [known.get(name, plain) for name, plain in zip(names, voc_palette(len(names)))]


def hexadecimal(colour: Colour) -> str:
    """Six digits, as after the # of a web colour."""
    return "".join(f"{channel:02x}" for channel in colour)
