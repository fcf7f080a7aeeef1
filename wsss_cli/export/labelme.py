"""labelme's JSON beside each image: masks of their boxes, which labelme draws pixel by pixel, or polygons."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from wsss_cli.console import Tick
from wsss_cli.data.prepared import Sample
from wsss_cli.export.pieces import Piece
from wsss_cli.export.source import INSET, Form, Source

VERSION = "6.3.1"  # of labelme, whose form this is


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """images/<image's name>.json, of every image that has a label map, also where nothing is in it.

    The name without its ending, as labelme looks for it beside the image, unless another image (a.jpg, a.png) has it.
    """
    short = {s.id: Path(source.image_name(s)).with_suffix("") for s in source.samples}
    count = Counter(path.as_posix().casefold() for path in short.values())

    def text(sample: Sample) -> str:
        names = source.data.info.classes
        shapes = [shape(piece, names[piece.label - 1], form) for piece in source.pieces(sample, form)]
        return json.dumps({**_head(source, sample), "shapes": shapes}, ensure_ascii=False, indent=1)

    for sample, content in source.each(text, tick):
        name = short[sample.id].as_posix()
        only = count[name.casefold()] == 1
        path = folder / "images" / f"{name if only else source.image_name(sample)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def shape(piece: Piece, name: str, form: Form) -> dict[str, Any]:
    """One piece; a mask's points are its first and last pixel, a polygon's and a box's lie inside such pixels.

    Pillow, with which labelme draws, cuts them off: that of a lone pixel has an area for other readers all the same.
    """
    x0, y0, x1, y1 = piece.box
    head: dict[str, Any] = {"label": name, "group_id": None, "description": "", "flags": {}}
    if form.shape == "polygon":
        return {**head, "shape_type": "polygon", "points": form.drawn_polygon(piece).tolist(), "mask": None}
    if form.shape == "box":
        corners = [[x0 + INSET, y0 + INSET], [x1 - INSET, y1 - INSET]]
        return {**head, "shape_type": "rectangle", "points": corners, "mask": None}
    return {**head, "shape_type": "mask", "points": [[x0, y0], [x1 - 1, y1 - 1]], "mask": _png(piece)}


def _head(source: Source, sample: Sample) -> dict[str, Any]:
    return {
        "version": VERSION,
        "flags": {},
        "imagePath": Path(source.image_name(sample)).name,
        "imageData": None,
        "imageHeight": sample.height,
        "imageWidth": sample.width,
    }


def _png(piece: Piece) -> str:
    file = io.BytesIO()
    Image.fromarray(piece.mask).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
