"""Datumaro, which CVAT's own formats build on, reads COCO and CVAT's XML with every pixel."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle

from drawn_labels import without_ignored, write_export
from wsss_cli.export.labels import form_of
from wsss_cli.export.source import Source


def require_label_maps(source: Source, place: Path, format: str) -> None:
    """The masks and polygons of every image, drawn by Datumaro, are its label map."""
    import datumaro as dm
    from datumaro.components.annotation import AnnotationType

    data = dm.Dataset.import_from(str(place), format)
    names = [c.name for c in data.categories()[AnnotationType.label].items]
    assert names == list(source.data.info.classes)
    items = {item.id.removeprefix("train/"): item for item in data}
    assert items.keys() == {s.id for s in source.samples}
    for sample in source.samples:
        again = np.zeros((sample.height, sample.width), np.uint8)
        for shape in (a for a in items[sample.id].annotations if a.type != AnnotationType.bbox):
            again[drawn(shape, sample.width, sample.height)] = shape.label + 1
        assert (again == without_ignored(source, sample)).all()


def drawn(shape: Any, width: int, height: int) -> np.ndarray:
    from datumaro.components.annotation import AnnotationType

    if shape.type == AnnotationType.mask:
        return shape.image.astype(bool)
    return rle.decode(rle.merge(rle.frPyObjects([list(shape.points)], height, width))).astype(bool)


@pytest.mark.parametrize("shape", ["rle", "polygon"])
def test_coco(source: Source, tmp_path: Path, shape: str) -> None:
    out = write_export(source, tmp_path / "out", "coco", "copy", shape=shape)  # it refuses links
    (out / "annotations").mkdir()
    (out / "instances_train.json").rename(out / "annotations/instances_train.json")  # where it looks
    require_label_maps(source, out, "coco_instances")


@pytest.mark.parametrize("shape", ["rle", "polygon"])
def test_cvat(source: Source, tmp_path: Path, shape: str) -> None:
    require_label_maps(source, write_export(source, tmp_path / "out", "cvat", "link", shape=shape), "cvat")


def test_boxes_of_cvat(source: Source, tmp_path: Path) -> None:
    import datumaro as dm

    out = write_export(source, tmp_path / "out", "cvat", "link", shape="box")
    form = form_of("cvat", "box", None, None)
    items = {item.id: item for item in dm.Dataset.import_from(str(out), "cvat")}
    for sample in source.samples:
        boxes = [(a.label + 1, tuple(a.points)) for a in items[sample.id].annotations]
        assert boxes == [(piece.label, piece.box) for piece in source.pieces(sample, form)]
