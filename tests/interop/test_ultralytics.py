"""Ultralytics' own data sets draw what was exported: polygons cut off to whole pixels and filled with their lines."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_labels import drawn_source, without_ignored, write_export
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.export.source import Source

SIDE = 10  # pixels; smaller images are refused


def large(source: Source) -> list[Sample]:
    return [s for s in source.samples if min(s.width, s.height) >= SIDE]


def description(out: Path) -> dict[str, Any]:
    """data.yaml as training reads it."""
    from ultralytics.data.utils import check_det_dataset

    return check_det_dataset(out / "data.yaml")


def drawn(polygons: list[NDArray[np.float32]], ids: NDArray[Any], size: tuple[int, int]) -> NDArray[np.integer]:
    """The label map (H, W) of shares of the sides: what `yolo segment train` learns from."""
    from ultralytics.data.utils import polygons2masks_overlap

    if not polygons:
        return np.zeros(size, np.uint8)
    numbered, order = polygons2masks_overlap(size, [points * np.float32(size[::-1]) for points in polygons])
    return np.concatenate([[0], ids[order].astype(int) + 1])[numbered]


def test_polygons(source: Source, tmp_path: Path) -> None:
    from ultralytics.data.utils import verify_image_label

    out = write_export(source, tmp_path / "out", "yolo")
    for sample in source.samples:
        paths = (str(out / f"images/train/{sample.id}.jpg"), str(out / f"labels/train/{sample.id}.txt"))
        _, rows, size, polygons, *_, corrupt, message = verify_image_label((*paths, "", False, 3, 0, 0, False))
        if min(sample.width, sample.height) < SIDE:
            assert corrupt and "10 pixels" in message
            continue
        assert not corrupt and size == (sample.height, sample.width)
        assert (drawn(polygons, rows[:, 0], size) == without_ignored(source, sample)).all()
        twice = drawn(polygons, rows[:, 0], (2 * sample.height, 2 * sample.width))
        assert (twice == np.kron(without_ignored(source, sample), np.ones((2, 2), int))).all()


def label_maps(width: int, height: int) -> dict[str, NDArray[np.uint8]]:
    """The shapes that outlines go wrong on."""
    y, x = np.mgrid[:height, :width]
    empty = np.zeros((height, width), np.uint8)
    ring, nested, touching, dots, border, lines = (empty.copy() for _ in range(6))
    ring[3:-3, 3:-3], ring[6:-6, 6:-6] = 1, 0
    nested[2:-2, 2:-2], nested[4:-4, 4:-4], nested[6:-6, 6:-6], nested[8:-8, 8:-8] = 1, 2, 0, 1
    touching[:, : width // 2], touching[:, width // 2 :] = 1, 2
    dots[1::3, 1::3] = 1
    dots[2::6, 2::6] = 2
    border[0], border[-1], border[:, 0], border[:, -1] = 1, 2, 1, 3
    lines[1::4], lines[:, 2::5] = 1, 2
    chess = ((x + y) % 2 + 1).astype(np.uint8)
    holes = np.where((x % 3 == 1) & (y % 3 == 1), 0, 3).astype(np.uint8)
    return {
        "ring": ring,
        "nested": nested,
        "touching": touching,
        "dots": dots,
        "border": border,
        "lines": lines,
        "chess": chess,
        "holes": holes,
        "whole": empty + 2,
    }


@pytest.mark.parametrize("size", [(24, 18), (97, 61)])
@pytest.mark.parametrize("name", label_maps(24, 18))
def test_shapes(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    """Holes, touching objects, single pixels, lines and borders; sides whose shares are no round numbers."""
    from PIL import Image
    from ultralytics.data.utils import verify_image_label

    from wsss_cli.data.prepared import Sample

    source = drawn_source(tmp_path)
    image = tmp_path / "raw/x.jpg"
    Image.new("RGB", size).save(image)
    sample = Sample("x", image, *size, (1,), splits=("train",))
    write_labels(tmp_path / "labels/x.png", label_maps(*size)[name])
    one = Source(source.data, "train", (sample,), tmp_path / "labels", "drawn")
    out = write_export(one, tmp_path / "out", "yolo")
    paths = (str(out / "images/train/x.jpg"), str(out / "labels/train/x.txt"))
    _, rows, shape, polygons, *_ = verify_image_label((*paths, "", False, 3, 0, 0, False))
    assert (drawn(polygons, rows[:, 0], shape) == label_maps(*size)[name]).all()


def test_polygons_as_semantic_labels(source: Source, tmp_path: Path) -> None:
    """`yolo semantic train` with the polygons: background is the last class."""
    from ultralytics.data.dataset import PolygonSemanticDataset
    from ultralytics.data.utils import add_polygon_background

    out = write_export(source, tmp_path / "out", "yolo")
    data = add_polygon_background(description(out))
    found = PolygonSemanticDataset(img_path=str(out / "images"), data=data, imgsz=64, augment=False)
    samples = {s.id: s for s in large(source)}
    assert len(found.labels) == len(samples)
    for n, label in enumerate(found.labels):
        sample = samples[str(Path(label["im_file"]).relative_to(out / "images/train").with_suffix(""))]
        mask = found.load_mask(n, (sample.height, sample.width))
        assert (np.array([1, 2, 3, 0])[mask] == without_ignored(source, sample)).all()


def test_masks(source: Source, tmp_path: Path) -> None:
    """With `masks_dir`, ignored pixels included."""
    from ultralytics.data.dataset import SemanticDataset

    out = write_export(source, tmp_path / "out", "yolo-semantic")
    found = SemanticDataset(img_path=str(out / "images"), data=description(out), imgsz=64, augment=False)
    samples = {s.id: s for s in large(source)}
    assert len(found.labels) == len(samples)
    for n, label in enumerate(found.labels):
        sample = samples[str(Path(label["im_file"]).relative_to(out / "images/train").with_suffix(""))]
        assert (found.load_mask(n) == source.labels(sample)).all()
