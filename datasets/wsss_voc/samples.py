"""One image of the lists -> a sample: size from the image, boxes from the XML, tags from the XML or a file of tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.data.images import image_size
from wsss_cli.data.prepared import BadSample, Box, Sample
from wsss_cli.errors import WsssError
from wsss_voc.annotation import read_annotation
from wsss_voc.classes import CLASSES
from wsss_voc.devkit import ANNOTATIONS, Entry


@dataclass(frozen=True)
class Reader:
    """What it takes to read a sample.

    needed  the lists that play a role, whose images must have tags; learnt  those of them that a method learns from
    tags    of the file `tags_file`, by image id; bad  images whose mask could not be made
    """

    devkit: Path
    needed: frozenset[str]
    learnt: frozenset[str]
    tags: Mapping[str, tuple[int, ...]]
    tags_file: Path | None
    bad: Mapping[str, WsssError]

    def sample(self, entry: Entry) -> Sample | BadSample:
        """The sample of an entry, or what is wrong with its files."""
        try:
            if entry.id in self.bad:
                raise self.bad[entry.id]
            width, height = image_size(entry.image)
            boxes = self._boxes(entry, width, height)
            tags = self._tags(entry, boxes)
            return Sample(entry.id, entry.image, width, height, tags, boxes, entry.mask, entry.splits)
        except WsssError as error:
            return BadSample(entry.id, error)

    def _boxes(self, entry: Entry, width: int, height: int) -> tuple[Box, ...]:
        path = self.devkit / ANNOTATIONS / f"{entry.id}.xml"
        if path.is_file():
            return read_annotation(path, width, height, CLASSES)
        if self.needed & set(entry.splits) and entry.id not in self.tags:
            raise WsssError(f"{path} is missing", "put it there: tags and boxes are read from it")
        return ()

    def _tags(self, entry: Entry, boxes: tuple[Box, ...]) -> tuple[int, ...]:
        if entry.id in self.tags:
            return self.tags[entry.id]
        if self.tags_file and self.learnt & set(entry.splits):
            raise WsssError(f"{self.tags_file} has no tags of '{entry.id}'", "add them, or name another list")
        return tuple(sorted({box.label for box in boxes}))
