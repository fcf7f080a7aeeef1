"""labelformat reads COCO's and YOLO's polygons; compressed run lengths it does not."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from drawn_labels import without_ignored, write_export
from wsss_cli.export.labels import form_of
from wsss_cli.export.source import Source


def require_label_maps(source: Source, labels: Iterable[Any], first: int) -> None:
    """The polygons, drawn by pycocotools; first: the number of the first category."""
    found = {label.image.filename: label.objects for label in labels}
    for sample in source.samples:
        again = np.zeros((sample.height, sample.width), np.uint8)
        for thing in found[source.image_name(sample)]:
            flat = [np.ravel(points).tolist() for points in thing.segmentation.polygons]
            mask = rle.decode(rle.merge(rle.frPyObjects(flat, sample.height, sample.width)))
            again[mask > 0] = thing.category.id - first + 1
        assert (again == without_ignored(source, sample)).all()


def test_coco(source: Source, tmp_path: Path) -> None:
    from labelformat.formats.coco import COCOInstanceSegmentationInput

    out = write_export(source, tmp_path / "out", "coco", shape="polygon")
    require_label_maps(source, COCOInstanceSegmentationInput(out / "instances_train.json").get_labels(), 1)


def test_yolo(source: Source, tmp_path: Path) -> None:
    from labelformat.formats.yolov8 import YOLOv8InstanceSegmentationInput

    out = write_export(source, tmp_path / "out", "yolo")
    require_label_maps(source, YOLOv8InstanceSegmentationInput(out / "data.yaml", "train").get_labels(), 0)


def test_boxes_of_cvat(source: Source, tmp_path: Path) -> None:
    from labelformat.formats.cvat import CVATObjectDetectionInput

    out = write_export(source, tmp_path / "out", "cvat", shape="box")
    form = form_of("cvat", "box", None, None)
    place = out / "annotations.xml"
    place.write_text(place.read_text().partition("?>")[2].lstrip())  # where lxml is installed it refuses `encoding=`
    found = {label.image.filename: label.objects for label in CVATObjectDetectionInput(place).get_labels()}
    for sample in source.samples:
        things = [(thing.category.id, thing.box) for thing in found[source.image_name(sample)]]
        boxes = [(label, (box.xmin, box.ymin, box.xmax, box.ymax)) for label, box in things]
        assert boxes == [(piece.label, piece.box) for piece in source.pieces(sample, form)]
