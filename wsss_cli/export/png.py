"""Label maps as they are: palette PNGs of class ids, 255 ignore, with lists for a trainer's data loader."""

from __future__ import annotations

import shutil
from pathlib import Path

from wsss_cli.console import Tick
from wsss_cli.data.images import image_size
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.export.source import Form, Source


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """labels/<id>.png; ids.txt; pairs.txt, image <tab> label map; classes.txt, line n (from 0) the name of id n."""

    def copy(sample: Sample) -> str:
        labels = source.labels(sample)  # whole, and of its photo's size
        target = folder / "labels" / f"{sample.id}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        if image_size(source.path(sample)) == (sample.width, sample.height):
            shutil.copyfile(source.path(sample), target)
        else:
            write_labels(target, labels, source.data.info.palette)
        return f"{sample.image.absolute()}\tlabels/{sample.id}.png\n"

    pairs = [row for _, row in source.each(copy, tick)]
    (folder / "pairs.txt").write_text("".join(pairs), encoding="utf-8")
    (folder / "ids.txt").write_text("".join(f"{s.id}\n" for s in source.samples), encoding="utf-8")
    names = ("background", *source.data.info.classes)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
