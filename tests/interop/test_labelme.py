"""labelme reads its JSON and draws the very pixels, of masks, polygons and rectangles."""

from pathlib import Path

import numpy as np
import pytest

from drawn_labels import without_ignored, write_export
from wsss_cli.export.labels import form_of
from wsss_cli.export.source import Source


@pytest.mark.parametrize("shape", ["rle", "polygon"])
def test_label_maps(source: Source, tmp_path: Path, shape: str) -> None:
    from labelme._label_file import read_label_file
    from labelme.utils import shapes_to_label

    out = write_export(source, tmp_path / "out", "labelme", shape=shape)
    ids = {name: c for c, name in enumerate(source.data.info.classes, 1)}
    for sample in source.samples:
        file = read_label_file(str(out / f"images/{sample.id}.json"))
        again, _ = shapes_to_label((sample.height, sample.width), file.shapes, ids)
        assert (again == without_ignored(source, sample)).all()


def test_rectangles(source: Source, tmp_path: Path) -> None:
    from labelme._label_file import read_label_file
    from labelme.utils.shape import masks_to_bboxes, shape_to_mask

    out = write_export(source, tmp_path / "out", "labelme", shape="box")
    form = form_of("labelme", "box", None, None)
    for sample in source.samples:
        shapes = read_label_file(str(out / f"images/{sample.id}.json")).shapes
        size = (sample.height, sample.width)
        masks = [shape_to_mask(size, shape["points"], "rectangle") for shape in shapes]
        boxes = [piece.box for piece in source.pieces(sample, form)]
        found = masks_to_bboxes(np.array(masks)) if masks else []
        assert [(int(x0), int(y0), int(x1), int(y1)) for y0, x0, y1, x1 in found] == boxes
