"""CVAT's own XML ("CVAT for images 1.1"), whose masks are run-length coded and so imported pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from wsss_cli.console import Tick
from wsss_cli.data.palette import colours
from wsss_cli.data.prepared import Sample
from wsss_cli.export.pieces import Piece, run_lengths
from wsss_cli.export.source import Form, Source

KIND = {"rle": "mask", "polygon": "polygon", "box": "rectangle"}  # CVAT's names of label types


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """annotations.xml; images go by their paths below their common folder, as in a task made from that folder."""

    def shapes(sample: Sample) -> list[str]:
        return [shape(piece, names[piece.label - 1], form) for piece in source.pieces(sample, form)]

    names = [quoteattr(name) for name in source.data.info.classes]
    with (folder / "annotations.xml").open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        file.write(_meta(source, form))
        for i, (sample, rows) in enumerate(source.each(shapes, tick)):
            name = quoteattr(source.image_name(sample))
            file.write(f'  <image id="{i}" name={name} width="{sample.width}" height="{sample.height}">\n')
            file.writelines(rows)
            file.write("  </image>\n")
        file.write("</annotations>\n")


def shape(piece: Piece, name: str, form: Form) -> str:
    """The element of one piece; name: of its class, quoted."""
    x0, y0, x1, y1 = piece.box
    if form.shape == "polygon":
        points = ";".join(f"{x}.00,{y}.00" for x, y in form.polygon(piece).tolist())
        return f'    <polygon label={name} source="auto" occluded="0" points="{points}" z_order="0"></polygon>\n'
    if form.shape == "box":
        corners = f'xtl="{x0}.00" ytl="{y0}.00" xbr="{x1}.00" ybr="{y1}.00"'
        return f'    <box label={name} source="auto" occluded="0" {corners} z_order="0"></box>\n'
    runs = ", ".join(map(str, run_lengths(piece.mask.ravel())))  # along the rows of the mask's own box
    where = f'left="{x0}" top="{y0}" width="{x1 - x0}" height="{y1 - y0}"'
    return f'    <mask label={name} source="auto" occluded="0" rle="{runs}" {where} z_order="0"></mask>\n'


def _meta(source: Source, form: Form) -> str:
    """What the file is of, and its labels, as CVAT writes it; its importer goes by the task's own labels."""
    palette = colours(source.data)
    labels = "".join(
        f"        <label>\n          <name>{escape(name)}</name>\n          <color>#{_hex(palette[c])}</color>\n"
        f"          <type>{KIND[form.shape]}</type>\n          <attributes></attributes>\n        </label>\n"
        for c, name in enumerate(source.data.info.classes, 1)
    )
    return (
        f"  <meta>\n    <task>\n      <name>{escape(source.title)}</name>\n"
        f"      <size>{len(source.samples)}</size>\n      <mode>annotation</mode>\n"
        f"      <labels>\n{labels}      </labels>\n    </task>\n  </meta>\n"
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "".join(f"{channel:02x}" for channel in colour)
