"""Run lengths painted one over the other into a label map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wsss_cli.data.coco_entries import Crowd
from wsss_cli.data.label_format import BYTE, LabelFormat, Labels
from wsss_coco.config import Paint
from wsss_coco.objects import Runs


class Object(NamedTuple):
    """One annotation to paint; area as the annotation says, which is not quite the pixels of its runs."""

    runs: Runs
    label: int
    area: float
    crowd: bool


def layers(objects: Sequence[Object], paint: Paint, crowd: Crowd, ignore: int) -> list[tuple[Runs, int]]:
    """Run lengths and ids, lowest first, as the options say.

    larger_first  of two equal areas, the earlier on top (coco2voc fills only what is still free, smallest first)
    """
    kept = [o for o in objects if not (o.crowd and crowd == "skip")]
    if paint == "larger_first":
        kept = sorted(kept, key=lambda o: o.area)[::-1]
    return [(o.runs, ignore if o.crowd and crowd == "ignore" else o.label) for o in kept]


def painted(over: Sequence[tuple[Runs, int]], width: int, height: int, form: LabelFormat = BYTE) -> Labels:
    """The label map (H, W): 0, and the id of the last layer that covers a pixel.  runs cover W * H pixels."""
    canvas = np.zeros(width * height, form.dtype)  # column after column, as the runs go
    for runs, label in over:
        ends = np.cumsum(runs)
        for start, stop in zip(ends[0::2].tolist(), ends[1::2].tolist(), strict=False):
            canvas[start:stop] = label
    return np.ascontiguousarray(canvas.reshape(width, height).T)
