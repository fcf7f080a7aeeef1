"""One image of an instances JSON -> its sample: tags, boxes and the mask, which is painted if it is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from wsss_cli.data.label_format import LabelFormat
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import BadSample, Box, Sample
from wsss_cli.errors import WsssError
from wsss_coco.config import Crowd, Paint
from wsss_coco.objects import half_open, run_lengths
from wsss_coco.paint import Object, layers, painted
from wsss_coco.stream import read_spans

MEND = "correct the annotation, or remove it"


@dataclass(frozen=True)
class Reader:
    """Reads the images of one JSON; plain data, for it goes to other processes.

    labels  category id -> class id
    masks   the folder of masks, one <image id>.png each; None: no masks are made
    """

    path: Path
    images: Path
    labels: dict[int, int]
    masks: Path | None
    paint: Paint
    crowd: Crowd
    form: LabelFormat

    def sample(self, image: Any, annotations: list[Any], splits: tuple[str, ...]) -> Sample:
        """The sample of an image's entry and annotations.  Raises WsssError naming the file and the entry."""
        name, width, height = self._head(image)
        tags = {self.labels[a["category_id"]] for a in annotations}
        boxes = [box for a in annotations for box in self._box(a, width, height)]
        mask = None if self.masks is None else self.masks / f"{image['id']}.png"
        if mask is not None and not mask.exists():
            objects = [self._object(a, width, height) for a in annotations]
            over = layers(objects, self.paint, self.crowd, self.form.ignore)
            write_labels(mask, painted(over, width, height, self.form))
        id = name.with_suffix("").as_posix()
        return Sample(id, self.images / name, width, height, tuple(sorted(tags)), tuple(boxes), mask, splits)

    def _head(self, image: Any) -> tuple[PurePosixPath, int, int]:
        """File name, width and height."""
        name, sides = image.get("file_name"), (image.get("width"), image.get("height"))
        where = f"{self.path}: image {image['id']}"
        if not isinstance(name, str) or not name.strip():
            raise WsssError(f"{where} has no file_name", "correct its entry")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise WsssError(f"{where}: file_name '{name}' is not below the folder of images", "correct its entry")
        if not all(type(side) is int and side > 0 for side in sides):
            raise WsssError(f"{where}: its width and height are {sides[0]} and {sides[1]}", "correct its entry")
        return path, sides[0], sides[1]

    def _box(self, annotation: Any, width: int, height: int) -> list[Box]:
        """The box, if it is in the image; a crowd is no object that a box could be drawn around."""
        try:
            corners = half_open(annotation.get("bbox"), width, height)
        except ValueError as error:
            raise self._bad(annotation, error) from error
        if corners is None or annotation.get("iscrowd"):
            return []
        return [Box(self.labels[annotation["category_id"]], *corners)]

    def _object(self, annotation: Any, width: int, height: int) -> Object:
        try:
            runs = run_lengths(annotation.get("segmentation"), width, height)
        except ValueError as error:
            raise self._bad(annotation, error) from error
        area, label = annotation.get("area"), self.labels[annotation["category_id"]]
        return Object(runs, label, area if isinstance(area, int | float) else 0.0, bool(annotation.get("iscrowd")))

    def _bad(self, annotation: Any, error: ValueError) -> WsssError:
        return WsssError(f"{self.path}: annotation {annotation.get('id')}: {error}", MEND)


class Task(NamedTuple):
    """One image: the bytes of its entry and of its annotations."""

    reader: Reader
    spans: list[tuple[int, int]]
    splits: tuple[str, ...]


def read(task: Task) -> Sample | BadSample:
    """Do one task.  Raises WsssError if the JSON itself can no longer be read."""
    image, *annotations = read_spans(task.reader.path, task.spans)
    try:
        return task.reader.sample(image, annotations, task.splits)
    except WsssError as error:
        return BadSample(f"image {image['id']}", error)
