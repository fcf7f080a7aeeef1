"""The label maps that a run made, as the writers of formats read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from wsss_cli.console import Tick
from wsss_cli.data.certainty import read_certainties
from wsss_cli.data.label_format import Labels, present_ids, strange_ids
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_full_size
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.export.contours import Points, Ring, outline, simple_rings
from wsss_cli.export.pieces import Piece, pieces
from wsss_cli.files import plain
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import absent, each

Shape = Literal["rle", "polygon", "box"]
R = TypeVar("R")
INSET = 0.25  # pixels; of larger ones the boxes around polygons suffer


@dataclass(frozen=True)
class Form:
    """How pieces are written.

    shape      run-length mask, polygon along the sides of pixels, or box
    min_area   in pixels; smaller pieces are left out
    tolerance  by how many pixels the lines of polygons may be off; 0: exact
    """

    shape: Shape = "rle"
    min_area: int = 1
    tolerance: float = 0.0

    def polygon(self, piece: Piece, inset: float = 0.0) -> Points:
        """The corners (n, 2) x, y of a piece in the image; one polygon, holes included."""
        return outline(piece.mask, self.tolerance, inset) + np.array([piece.x0, piece.y0])

    def rings(self, piece: Piece) -> list[Ring]:
        """The outer line (n, 2) of a piece in the image, then those around its holes; none meets itself."""
        return [ring + np.array([piece.x0, piece.y0]) for ring in simple_rings(piece.mask, self.tolerance)]

    def drawn_polygon(self, piece: Piece) -> Points:
        """The same for programs that cut coordinates off to whole pixels and then draw the lines as well."""
        return self.polygon(piece, INSET)


@dataclass(frozen=True)
class Source:
    """Label maps `folder/<id>.png` of some images of a split.

    samples  those that have one, at their photos' own size; title  where they come from, for people
    """

    data: Prepared
    split: str
    samples: tuple[Sample, ...]
    folder: Path
    title: str

    def path(self, sample: Sample) -> Path:
        return self.folder / f"{sample.id}.png"

    def labels(self, sample: Sample) -> Labels:
        """The ids (H, W), at the photo's size.

        Raises WsssError if the file is damaged, of another size, or holds ids that are no class: formats of pieces
        would leave them out in silence.
        """
        labels = at_full_size(read_labels(self.path(sample)), self._seen[sample.id])
        if labels.shape != (sample.height, sample.width):
            size = f"{labels.shape[1]} x {labels.shape[0]}, its image {sample.width} x {sample.height}"
            raise WsssError(f"{self.path(sample)} is {size}", "make the stage again with --force")
        if wrong := strange_ids(present_ids(labels), self.data.num_classes):
            what = f"{self.path(sample)} holds the id {wrong[0]}, the data set's classes are 1..{self.data.num_classes}"
            raise WsssError(
                what, "make the stage again with --force; if it stays so, its method makes wrong label maps"
            )
        return labels

    def pieces(self, sample: Sample, form: Form) -> Iterator[Piece]:
        return pieces(self.labels(sample), self.data.num_classes, form.min_area)

    def each(self, function: Callable[[Sample], R], tick: Tick) -> Iterator[tuple[Sample, R]]:
        """(sample, function(sample)) in order, on all cores."""
        for sample, result in zip(self.samples, ParallelMap(function, self.samples)):
            yield sample, result
            tick(1)

    @cached_property
    def _seen(self) -> dict[str, Sample]:
        """As the stages saw them."""
        return {sample.id: sample for sample in self.data.samples}

    @cached_property
    def image_root(self) -> Path:
        """The deepest folder that holds every image."""
        return Path(os.path.commonpath([plain(s.image).parent for s in self.samples]))

    def image_name(self, sample: Sample) -> str:
        """The image's path below image_root."""
        return plain(sample.image).relative_to(self.image_root).as_posix()


def most_doubtful(source: Source, predictions: Path, most: int) -> Source:
    """At most `most` of its images, those first of which the network is least certain.

    predictions  the folder of a stage infer of them.  Raises WsssError if that does not tell.
    """
    rows = read_certainties(predictions)
    known = sorted((s for s in source.samples if s.id in rows), key=lambda s: (rows[s.id]["certainty"], s.id))
    if not known:
        what = f"{predictions} does not tell how certain the network is of these images"
        raise WsssError(what, f"an older version made it: wsss infer --split {source.split} --force")
    return replace(source, samples=tuple(known[:most]), title=f"{source.title}, the least certain")


def find_source(data: Prepared, split: str, folder: Path, title: str) -> tuple[Source, int]:
    """The source, and how many images of the split have no label map: those the finished stage was to make none of.

    Raises WsssError if the split has none at all.
    """
    samples = data.split(split)
    missing = set(absent(folder, each(samples, ".png")))
    there = tuple(s.full for s in samples if f"{s.id}.png" not in missing)
    if not there:
        raise WsssError(f"there is no label map of split '{split}' in {folder}", "choose the split they were made for")
    return Source(data, split, there, folder, title), len(samples) - len(there)
