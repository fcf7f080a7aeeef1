"""YOLO's text files: a line per piece, coordinates divided by the image's width and height, classes from 0.

Ultralytics draws the polygons by cv2.fillPoly on coordinates that were cut off to whole pixels, lines included.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from wsss_cli.console import Tick
from wsss_cli.data.prepared import Sample
from wsss_cli.export.pieces import Piece
from wsss_cli.export.source import Form, Source


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """labels/<split>/<id>.txt, empty where nothing is; data.yaml, in which classes 0..C-1 are ids 1..C."""

    def text(sample: Sample) -> str:
        return "".join(line(piece, sample.width, sample.height, form) for piece in source.pieces(sample, form))

    for sample, lines in source.each(text, tick):
        path = folder / "labels" / source.split / f"{sample.id}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines, encoding="utf-8")
    (folder / "data.yaml").write_text(description(source), encoding="utf-8")


def line(piece: Piece, width: int, height: int, form: Form) -> str:
    """`class x1 y1 x2 y2 ...` of the polygon, or `class x-centre y-centre width height` of the box."""
    if form.shape == "box":
        x0, y0, x1, y1 = piece.box
        values = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]
    else:
        values = (form.drawn_polygon(piece) / (width, height)).ravel().tolist()
    return f"{piece.label - 1} {' '.join(f'{v:.6f}' for v in values)}\n"


def description(source: Source) -> str:
    """data.yaml; without `path`, so that paths are below the file's own folder."""
    images = f"images/{source.split}"
    names = dict(enumerate(source.data.info.classes))
    body = yaml.safe_dump({"train": images, "val": images, "names": names}, sort_keys=False, allow_unicode=True)
    return f"# {source.title}\n# val: put a split here that was not trained on\n{body}"
