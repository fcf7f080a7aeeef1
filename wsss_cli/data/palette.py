"""The colours of a data set's class ids."""

from __future__ import annotations

from wsss_cli.data.labels import voc_palette
from wsss_cli.data.prepared import Prepared

Colour = tuple[int, int, int]


def colours(data: Prepared) -> list[Colour]:
    """The colours of ids 0..C; those of VOC where the data set names none."""
    given = data.info.palette[: data.num_classes + 1]
    return [*given, *voc_palette(data.num_classes + 1)[len(given) :]]
