"""`wsss export labels`, the part that writes: formats, what each can hold, and the folder put in its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wsss_cli.console import Tick
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.export import coco, cvat, geojson, label_studio, labelme, png, yolo, yolo_semantic
from wsss_cli.export.new_folder import new_folder
from wsss_cli.export.source import Form, Shape, Source

Images = Literal["none", "link", "copy"]


@dataclass(frozen=True)
class Format:
    """A writer and what pieces can be in it, the usual one first; none: label maps stay what they are."""

    write: Callable[[Source, Path, Form, Tick], None]
    shapes: tuple[Shape, ...] = ()
    images: Images = "none"


FORMATS = {
    "png": Format(png.write),
    "coco": Format(coco.write, ("rle", "polygon")),
    "yolo": Format(yolo.write, ("polygon", "box"), "link"),  # its trainer looks for labels beside images/
    "yolo-semantic": Format(yolo_semantic.write, images="link"),
    "cvat": Format(cvat.write, ("rle", "polygon", "box")),
    "labelme": Format(labelme.write, ("rle", "polygon", "box"), "link"),  # it looks for the image beside the JSON
    "geojson": Format(geojson.write, ("polygon",)),
    "label-studio": Format(label_studio.write, ("rle", "polygon", "box")),
}


def form_of(name: str, shape: Shape | None, min_area: int | None, tolerance: float | None) -> Form:
    """What was asked of a format.  Raises WsssError for what it cannot hold."""
    shapes = FORMATS[name].shapes
    given = {"--shape": shape, "--min-area": min_area, "--tolerance": tolerance}
    asked = [option for option, value in given.items() if value is not None]
    if not shapes and asked:
        raise WsssError(f"{asked[0]} does not go with --format {name}", "its label maps are written as they are")
    if shape is not None and shape not in shapes:
        raise WsssError(f"--format {name} has no --shape {shape}", f"it has: {', '.join(shapes)}")
    form = Form(shape or (*shapes, Form.shape)[0], min_area or 1, tolerance or 0.0)
    if form.tolerance and form.shape != "polygon":
        raise WsssError(f"--tolerance does not go with --shape {form.shape}", "give --shape polygon as well")
    return form


def export(source: Source, out: Path, name: str, form: Form, images: Images | None, tick: Tick) -> None:
    """Write the folder `out`, whole or not at all.

    Raises WsssError if it exists, if another command is about to make it, or for a damaged label map.
    """
    with new_folder(out) as folder:
        FORMATS[name].write(source, folder, form, tick)
        place_images(source, folder, name, images or FORMATS[name].images)


def place_images(source: Source, folder: Path, name: str, how: Images) -> None:
    """Link or copy the images to images/, where YOLO wants them by split and id, and the others under their names."""
    if how == "none":
        return
    for sample in source.samples:
        target = folder / "images" / _image_path(source, sample, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if how == "link":
            link_or_copy(sample.image, target)
        else:
            shutil.copyfile(sample.image, target)


def link_or_copy(image: Path, target: Path) -> None:
    """A link to the image; a copy where the system makes none, as Windows for an ordinary user."""
    try:
        target.symlink_to(image.resolve())
    except (OSError, NotImplementedError):
        shutil.copyfile(image, target)


def _image_path(source: Source, sample: Sample, name: str) -> str:
    if name.startswith("yolo"):
        return f"{source.split}/{sample.id}{sample.image.suffix}"
    return source.image_name(sample)
