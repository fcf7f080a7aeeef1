"""Boxes drawn into pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from wsss_cli.data.palette import Colour
from wsss_cli.data.prepared import Sample
from wsss_cli.report.pictures import Picture


def outlined(small: Picture, sample: Sample, palette: Sequence[Colour]) -> Picture:
    """A thumbnail (h, w, 3) with the sample's boxes in the colours of their classes, a dark line around each."""
    image = Image.fromarray(small)
    pen, scale = ImageDraw.Draw(image), small.shape[1] / sample.width
    for box in sample.boxes:
        x0, y0, x1, y1 = (round(side * scale) for side in (box.x0, box.y0, box.x1, box.y1))
        for inset, colour in ((0, (0, 0, 0)), (1, palette[box.label])):
            corners = (x0 + inset, y0 + inset, x1 - 1 - inset, y1 - 1 - inset)
            if corners[0] <= corners[2] and corners[1] <= corners[3]:
                pen.rectangle(corners, outline=colour)
    return np.array(image)
