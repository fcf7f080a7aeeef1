"""Label Studio's tasks with predictions, its pre-annotations: brushes, pixel by pixel, or outlines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from wsss_cli.console import Tick
from wsss_cli.data.palette import colours, hexadecimal
from wsss_cli.data.prepared import Sample
from wsss_cli.export.pieces import Piece, run_lengths
from wsss_cli.export.source import Form, Source

TAG = {"rle": "BrushLabels", "polygon": "PolygonLabels", "box": "RectangleLabels"}
LONGEST = 1 << 16  # values that one run of a brush can be; the sizes of runs below say so
RUN_BITS = (3, 4, 8, 16)


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """tasks.json, whose images are files of local storage below the images' common folder; label_config.xml."""

    def task(sample: Sample) -> dict[str, Any]:
        names = source.data.info.classes
        pieces = enumerate(source.pieces(sample, form), 1)
        results = [result(piece, names[piece.label - 1], sample, form, f"piece{n}") for n, piece in pieces]
        image = f"/data/local-files/?d={quote(source.image_name(sample))}"
        return {"data": {"image": image}, "predictions": [{"model_version": source.title, "result": results}]}

    with (folder / "tasks.json").open("w", encoding="utf-8") as file:
        before = "[\n"
        for _, content in source.each(task, tick):
            file.write(before + json.dumps(content, ensure_ascii=False))
            before = ",\n"
        file.write("\n]\n")
    (folder / "label_config.xml").write_text(_config(source, form), encoding="utf-8")


def result(piece: Piece, name: str, sample: Sample, form: Form, id: str) -> dict[str, Any]:
    """One piece; coordinates are percent of the image."""
    kind = TAG[form.shape].lower()
    size = (sample.width, sample.height)
    value: dict[str, Any]
    if form.shape == "rle":
        value = {"format": "rle", "rle": brush(piece, *size)}
    elif form.shape == "polygon":
        value = {"points": (form.polygon(piece) * 100 / size).tolist(), "closed": True}
    else:
        x0, y0, x1, y1 = (at * 100 / size[i % 2] for i, at in enumerate(piece.box))
        value = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0, "rotation": 0}
    return {
        "id": id,
        "from_name": "label",
        "to_name": "image",
        "type": kind,
        "original_width": sample.width,
        "original_height": sample.height,
        "image_rotation": 0,
        "value": {**value, kind: [name]},
    }


def brush(piece: Piece, width: int, height: int) -> list[int]:
    """The bytes of a piece's brush: runs of 0 and 255 along the rows of the image, each pixel four values (RGBA).

    A head of 32 bits for the number of values, 5 for the bits of one, four times 4 for those of a run's length, each
    less 1 but the first; a run is 1, 2 bits for which length, length - 1, value.  [rle-pack of thi.ng/umbrella]
    """
    whole = np.zeros((height, width), bool)
    x0, y0, x1, y1 = piece.box
    whole[y0:y1, x0:x1] = piece.mask
    bits = [f"{width * height * 4:032b}", f"{8 - 1:05b}", *(f"{size - 1:04b}" for size in RUN_BITS)]
    for i, run in enumerate(run_lengths(whole.ravel())):
        bits += [_run(length, i % 2 * 255) for length in _split(run * 4)]
    return _bytes("".join(bits))


def _split(length: int) -> list[int]:
    whole, rest = divmod(length, LONGEST)
    return [LONGEST] * whole + [rest] * (rest > 0)


def _run(length: int, value: int) -> str:
    which = next(i for i, size in enumerate(RUN_BITS) if length <= 1 << size)
    return f"1{which:02b}{length - 1:0{RUN_BITS[which]}b}{value:08b}"


def _bytes(bits: str) -> list[int]:
    flags: NDArray[np.uint8] = np.frombuffer(bits.encode("ascii"), np.uint8) - ord("0")
    return np.packbits(flags).tolist()


def _config(source: Source, form: Form) -> str:
    """The labelling interface of the project, without which Label Studio refuses the predictions."""
    palette = colours(source.data)
    labels = "".join(
        f"    <Label value={quoteattr(name)} background={quoteattr('#' + hexadecimal(palette[c]))}/>\n"
        for c, name in enumerate(source.data.info.classes, 1)
    )
    tag = TAG[form.shape]
    return (
        '<View>\n  <Image name="image" value="$image" zoom="true"/>\n'
        f'  <{tag} name="label" toName="image">\n{labels}  </{tag}>\n</View>\n'
    )
