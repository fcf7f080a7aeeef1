"""supervision reads COCO exactly, and rounds YOLO's polygons up."""

from pathlib import Path

import numpy as np
import pytest

from drawn_labels import without_ignored, write_export
from wsss_cli.export.source import Source


def test_yolo_rounds_up(source: Source, tmp_path: Path) -> None:
    """It rounds where Ultralytics cuts off, so all is there and the right and lower sides are a pixel further."""
    import supervision as sv

    out = write_export(source, tmp_path / "out", "yolo")
    folders = (str(out / "images/train/a"), str(out / "labels/train/a"), str(out / "data.yaml"))
    data = sv.DetectionDataset.from_yolo(*folders, force_masks=True)
    assert len(data) == 2
    for path, _, found in data:
        sample = next(s for s in source.samples if path.endswith(f"{s.id}.jpg"))
        for i in range(3):
            drawn = found.mask[found.class_id == i].any(0)
            assert drawn[source.labels(sample) == i + 1].all()


@pytest.mark.parametrize("shape", ["rle", "polygon"])
def test_coco(source: Source, tmp_path: Path, shape: str) -> None:
    import supervision as sv

    out = write_export(source, tmp_path / "out", "coco", shape=shape)
    annotations = str(out / "instances_train.json")
    data = sv.DetectionDataset.from_coco(str(source.image_root), annotations, force_masks=True)
    assert data.classes == list(source.data.info.classes)
    for path, _, found in data:
        sample = next(s for s in source.samples if path.endswith(f"{s.id}.jpg"))
        again = np.zeros((sample.height, sample.width), np.uint8)
        for label, mask in zip(found.class_id, found.mask if len(found) else ()):
            again[mask] = label + 1
        if shape == "rle":
            assert (again == without_ignored(source, sample)).all()
        else:  # it draws the lines of polygons too: as with YOLO, all is there and more
            assert ((again > 0) >= (without_ignored(source, sample) > 0)).all()
