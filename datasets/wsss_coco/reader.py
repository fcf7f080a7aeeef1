"""One image of an instances JSON -> its sample: tags, boxes and the mask, which is painted if it is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from wsss_cli.data.coco_entries import Crowd, is_crowd, whole
from wsss_cli.data.images import image_size, require_pixels
from wsss_cli.data.label_format import LabelFormat
from wsss_cli.data.labels import write_labels
from wsss_cli.data.picture import Reading
from wsss_cli.data.prepared import BadSample, Box, Sample
from wsss_cli.errors import WsssError
from wsss_cli.names import require_path
from wsss_coco.config import Paint
from wsss_coco.objects import box_of, half_open, has_outline, run_lengths
from wsss_coco.paint import Object, layers, painted
from wsss_coco.stream import read_spans

MEND = "correct the annotation, or remove it"


@dataclass(frozen=True)
class Reader:
    """Reads the images of one JSON; plain data, for it goes to other processes.

    labels  category id -> class id
    masks   the folder of masks, one <image id>.png each; None: no masks are made
    empty   whether images without annotations get a mask, all background
    how     how large an image may be
    """

    path: Path
    images: Path
    labels: dict[int, int]
    masks: Path | None
    paint: Paint
    crowd: Crowd
    form: LabelFormat
    empty: bool
    how: Reading

    def sample(self, image: Any, annotations: list[Any], splits: tuple[str, ...]) -> Sample:
        """The sample of an image's entry and annotations.  Raises WsssError naming the file and the entry."""
        name, width, height = self._head(image)
        tags = {self._label(a) for a in annotations}
        boxes = [box for a in annotations for box in self._box(a, width, height)]
        mask = self._place(image, annotations)
        if mask is not None and not mask.exists():
            objects = [self._object(a, width, height) for a in annotations]
            over = layers(objects, self.paint, self.crowd, self.form.ignore)
            write_labels(mask, painted(over, width, height, self.form))
        id = name.with_suffix("").as_posix()
        return Sample(id, self.images / name, width, height, tuple(sorted(tags)), tuple(boxes), mask, splits)

    def _head(self, image: Any) -> tuple[PurePosixPath, int, int]:
        """File name, width and height."""
        name, width, height = image.get("file_name"), whole(image.get("width")), whole(image.get("height"))
        where = f"{self.path}: image {image['id']}"
        if not isinstance(name, str) or not name.strip():
            raise WsssError(f"{where} has no file_name", "correct its entry")
        path = PurePosixPath(name)
        require_path(path.as_posix(), f"{where}: file_name", "correct its entry")
        if not width or not height:  # as tools write where they do not know
            width, height = image_size(self.images / path, how=self.how)
        try:
            require_pixels(width, height)
        except ValueError as error:
            raise WsssError(f"{where}: its width and height are {width} and {height}", "correct its entry") from error
        return path, width, height

    def _place(self, image: Any, annotations: list[Any]) -> Path | None:
        """Where its mask is, or is to be; None if it gets none: an object has no outline, or it has no annotation."""
        if self.masks is None or not (annotations or self.empty) or not all(map(has_outline, annotations)):
            return None
        return self.masks / f"{whole(image['id'])}.png"

    def _label(self, annotation: Any) -> int:
        id = whole(annotation["category_id"])
        assert id is not None, "as when the index was made"
        return self.labels[id]

    def _crowd(self, annotation: Any) -> bool:
        return is_crowd(annotation) and self.crowd != "paint"

    def _box(self, annotation: Any, width: int, height: int) -> list[Box]:
        """The box, that of the outline if there is none; a crowd is no object that a box could be drawn around."""
        bbox = annotation.get("bbox")
        if self._crowd(annotation) or (not bbox and not has_outline(annotation)):
            return []
        try:
            given = bbox or box_of(run_lengths(annotation["segmentation"], width, height), height)
            corners = half_open(given, width, height)
        except ValueError as error:
            raise self._bad(annotation, error) from error
        return [Box(self._label(annotation), *corners)] if corners else []

    def _object(self, annotation: Any, width: int, height: int) -> Object:
        try:
            runs = run_lengths(annotation.get("segmentation"), width, height)
        except ValueError as error:
            raise self._bad(annotation, error) from error
        area = annotation.get("area")
        size = area if isinstance(area, int | float) else float(runs[1::2].sum())
        return Object(runs, self._label(annotation), size, self._crowd(annotation))

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
