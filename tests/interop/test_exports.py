"""What we wrote, drawn by the programs it is for: pixel by pixel the label maps."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wsss_cli.data.prepared import Sample
from wsss_cli.export.labels import export, form_of
from wsss_cli.export.source import Source

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("default")]  # other programs' warnings are their own


def write(source: Source, out: Path, name: str, shape: str | None = None) -> Path:
    export(source, out, name, form_of(name, shape, None, None), None, lambda n=1, note="": None)  # type: ignore[arg-type]
    return out


def wanted(source: Source, sample: Sample) -> NDArray[np.integer]:
    labels = source.labels(sample)
    return np.where(labels == 255, 0, labels)


def test_ultralytics_draws_the_polygons(source: Source, tmp_path: Path) -> None:
    from ultralytics.data.utils import polygons2masks_overlap, verify_image_label

    out = write(source, tmp_path / "out", "yolo")
    for sample in source.samples:
        paths = (str(out / f"images/train/{sample.id}.jpg"), str(out / f"labels/train/{sample.id}.txt"))
        _, rows, size, segments, *_, corrupt, message = verify_image_label((*paths, "", False, 3, 0, 0, False))
        if min(sample.width, sample.height) < 10:
            assert corrupt and "10 pixels" in message  # it refuses such images
            continue
        assert not corrupt and size == (sample.height, sample.width)
        again = np.zeros(size, np.uint8)
        if segments:
            scaled = [points * np.float32((sample.width, sample.height)) for points in segments]
            numbered, order = polygons2masks_overlap(size, scaled)
            again = np.concatenate([[0], rows[order, 0].astype(int) + 1])[numbered]
        assert (again == wanted(source, sample)).all()


def test_ultralytics_reads_the_masks(source: Source, tmp_path: Path) -> None:
    from ultralytics.data.utils import img2label_paths, read_mask, verify_image_mask

    out = write(source, tmp_path / "out", "yolo-semantic")
    invalid = np.array([0] * 4 + [1] * 251 + [0], np.uint8)
    for sample in (s for s in source.samples if min(s.width, s.height) > 9):
        image = str(out / f"images/train/{sample.id}.jpg")
        path = img2label_paths([image], "masks", ".png")[0]
        assert verify_image_mask((image, path, "", invalid))[0] == image
        assert (read_mask(path, "L") == source.labels(sample)).all()


def test_label_studio_decodes_the_brushes(source: Source, tmp_path: Path) -> None:
    from label_studio_sdk.converter.brush import decode_rle
    from label_studio_sdk.label_interface import LabelInterface

    out = write(source, tmp_path / "out", "label-studio")
    interface = LabelInterface((out / "label_config.xml").read_text())
    for sample, task in zip(source.samples, json.loads((out / "tasks.json").read_text()), strict=True):
        assert interface.validate_prediction(task["predictions"][0])
        again = np.zeros((sample.height, sample.width), np.uint8)
        for result in task["predictions"][0]["result"]:
            mask = decode_rle(result["value"]["rle"]).reshape(*again.shape, 4)[..., 3] > 0
            again[mask] = source.data.info.classes.index(result["value"]["brushlabels"][0]) + 1
        assert (again == wanted(source, sample)).all()


def test_supervision_rounds_up(source: Source, tmp_path: Path) -> None:
    """It rounds where Ultralytics cuts off, so all is there and the right and lower sides are a pixel further."""
    import supervision as sv

    out = write(source, tmp_path / "out", "yolo")
    folders = (str(out / "images/train/a"), str(out / "labels/train/a"), str(out / "data.yaml"))
    data = sv.DetectionDataset.from_yolo(*folders, force_masks=True)
    assert len(data) == 2
    for path, _, found in data:
        sample = next(s for s in source.samples if path.endswith(f"{s.id}.jpg"))
        for i in range(3):
            drawn = found.mask[found.class_id == i].any(0)
            assert drawn[source.labels(sample) == i + 1].all()
