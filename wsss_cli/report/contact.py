"""A contact sheet of a data set: for each class an image with its mask, boxes and tags, as one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.palette import Colour, colours
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.report.pictures import SIDE, Picture, overlay, thumbnail

MOST = 40  # images of one sheet
COLUMNS = 5
GAP = 8
LINE = 18  # pixels of a line of text
PAPER, INK = (255, 255, 255), (32, 32, 32)
OPACITY = 0.45  # of masks


def contact_sheet(path: Path, prepared: Prepared, leave_out: Iterable[str] = ()) -> list[Sample]:
    """Write the sheet as a PNG, the same for the same data set; returns the samples it shows.

    leave_out  ids not to show, for want of a file that can be read.  Raises WsssError if no image is left.
    """
    chosen = choose(prepared, set(leave_out))
    if not chosen:
        raise WsssError(f"no image of '{prepared.info.name}' can be shown", "put its files right first")
    palette = colours(prepared)
    cells = list(ParallelMap(lambda sample: cell(sample, palette, prepared.info.classes), chosen))
    with writing(path) as aside:
        paste(cells).save(aside, format="PNG")
    return chosen


def choose(prepared: Prepared, leave_out: set[str]) -> list[Sample]:
    """For each class the first train image that shows it with a mask and few other classes; none twice.

    Without any tags: images evenly spaced.
    """
    able = [s for s in prepared.samples if s.id not in leave_out]
    train = [s for s in able if prepared.info.splits.get("train") in s.splits] or able
    ranked = sorted(train, key=lambda s: (s.mask is None, len(s.tags)))  # stable: the first of equals
    chosen: dict[str, Sample] = {}
    for c in range(1, prepared.num_classes + 1):
        best = next((s for s in ranked if c in s.tags and s.id not in chosen), None)
        if best is not None:
            chosen[best.id] = best
        if len(chosen) == MOST:
            break
    n = min(COLUMNS, len(able))
    return list(chosen.values()) or [able[i * len(able) // n] for i in range(n)]


def annotated(sample: Sample, palette: Sequence[Colour]) -> Image.Image:
    """The image with its mask laid over and its boxes drawn, its longer side SIDE pixels at most."""
    small = thumbnail(read_image(sample.image))  # (h, w, 3)
    if sample.mask is not None:
        small = overlay(small, read_labels(sample.mask), palette, OPACITY)
    return _with_boxes(small, sample, palette)


def cell(sample: Sample, palette: Sequence[Colour], classes: Sequence[str]) -> Image.Image:
    """The image with its annotations, above its id and tags; SIDE pixels wide."""
    picture = Image.new("RGB", (SIDE, SIDE + 2 * LINE + 4), PAPER)
    drawn = annotated(sample, palette)
    picture.paste(drawn, ((SIDE - drawn.width) // 2, SIDE - drawn.height))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    draw.text((0, SIDE + 3), _fitting(sample.id, font, SIDE), INK, font)
    _write_tags(draw, sample.tags, palette, classes, font)
    return picture


def paste(cells: Sequence[Image.Image]) -> Image.Image:
    """The cells in rows of COLUMNS."""
    columns, rows = min(COLUMNS, len(cells)), -(-len(cells) // COLUMNS)
    width, height = cells[0].width + GAP, cells[0].height + GAP
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    for i, one in enumerate(cells):
        sheet.paste(one, (GAP + i % COLUMNS * width, GAP + i // COLUMNS * height))
    return sheet


def _with_boxes(small: Picture, sample: Sample, palette: Sequence[Colour]) -> Image.Image:
    """Boxes in the colours of their classes on a dark line, so that they show on any ground."""
    picture = Image.fromarray(small)
    draw = ImageDraw.Draw(picture)
    scale = np.array(picture.size * 2) / (sample.width, sample.height, sample.width, sample.height)
    for box in sample.boxes:
        x0, y0, x1, y1 = (np.array([box.x0, box.y0, box.x1, box.y1]) * scale).round().astype(int).tolist()
        if x0 < x1 and y0 < y1:
            draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=INK, width=4)
            inner = (x0 + 1, y0 + 1, max(x0 + 1, x1 - 2), max(y0 + 1, y1 - 2))
            draw.rectangle(inner, outline=_of(box.label, palette), width=2)
    return picture


def _write_tags(
    draw: ImageDraw.ImageDraw,
    tags: Sequence[int],
    palette: Sequence[Colour],
    classes: Sequence[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A swatch and the name of each tag, as many as fit in the line."""
    x, y = 0, SIDE + LINE + 3
    for i, tag in enumerate(tags):
        name = classes[tag - 1] if 1 <= tag <= len(classes) else f"id {tag}"
        room = SIDE - x - 16
        text = _fitting(name, font, room)
        if i and text != name:
            draw.text((x, y), f"+{len(tags) - i}", INK, font)
            return
        draw.rectangle((x, y + 3, x + 10, y + 13), fill=_of(tag, palette), outline=INK)
        draw.text((x + 14, y), text, INK, font)
        x += 24 + int(font.getlength(text))
    if not tags:
        draw.text((0, y), "no tags", (128, 128, 128), font)


def _of(label: int, palette: Sequence[Colour]) -> Colour:
    return palette[label] if 0 <= label < len(palette) else (128, 128, 128)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int) -> str:
    """The text, or as much of its end as there is room for."""
    if font.getlength(text) <= room:
        return text
    while text and font.getlength("…" + text) > room:
        text = text[1:]
    return "…" + text
