"""Ultralytics' layout for `yolo semantic`: grey PNGs of class ids, 255 ignored, background a class."""

from __future__ import annotations

from pathlib import Path

import yaml
from PIL import Image

from wsss_cli.console import Tick
from wsss_cli.data.label_format import label_format
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.export.source import Form, Source


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """masks/<split>/<id>.png; data.yaml with masks_dir and names 0..C, 0 the background.

    Raises WsssError if the ids do not fit into 8 bits.
    """
    if label_format(len(source.data.info.classes)).ignore > 255:
        raise WsssError("--format yolo-semantic holds at most 254 classes", "its trainer reads 8 bits a pixel")

    def save(sample: Sample) -> None:
        path = folder / "masks" / source.split / f"{sample.id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(source.labels(sample)).save(path)  # grey: of some palettes its reader takes the colours

    for _ in source.each(save, tick):
        pass
    images = f"images/{source.split}"
    names = dict(enumerate(("background", *source.data.info.classes)))
    content = {"train": images, "val": images, "masks_dir": "masks", "names": names}
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    text = f"# {source.title}\n# val: put a split here that was not trained on\n{body}"
    (folder / "data.yaml").write_text(text, encoding="utf-8")
