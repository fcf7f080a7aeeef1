"""The generated scenes: the same pixels everywhere, and labels that are exactly what is drawn."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from prepared_data import prepare
from wsss_cli.checks.dataset import check
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_shapes import DATASET
from wsss_shapes.geometry import CLASSES
from wsss_shapes.prepare import scene


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    options = DATASET.config_class()(train=48, val=12)
    return prepare(DATASET, options, "shapes", tmp_path_factory.mktemp("data"))


def test_prepared_is_sound(prepared: Prepared) -> None:
    assert [f.level for f in check(prepared).findings] == ["ok"]
    assert (len(prepared.split("train")), len(prepared.split("val"))) == (48, 12)
    assert prepared.info.classes == tuple(CLASSES)
    assert {p.name for p in prepared.folder.iterdir()} == {
        "dataset.yaml",
        "samples.jsonl",
        "images",
        "masks",
        "objects",
    }


def test_tags_boxes_and_masks_agree(prepared: Prepared) -> None:
    for sample in prepared.samples:
        assert sample.mask is not None
        labels = read_labels(sample.mask)
        assert set(np.unique(labels)) - {0} == set(sample.tags) == {b.label for b in sample.boxes}
        for tag in sample.tags:  # the boxes of a class together are as tight as its mask
            boxes = [b for b in sample.boxes if b.label == tag]
            rows, columns = np.nonzero(labels == tag)
            assert len(rows) >= 60
            assert min(b.x0 for b in boxes) == columns.min() and max(b.x1 for b in boxes) == columns.max() + 1
            assert min(b.y0 for b in boxes) == rows.min() and max(b.y1 for b in boxes) == rows.max() + 1


def test_every_class_is_common_and_scenes_vary(prepared: Prepared) -> None:
    seen = Counter(tag for s in prepared.split("train") for tag in s.tags)
    assert set(seen) == set(range(1, 7)) and min(seen.values()) >= 8
    assert len({(s.width, s.height) for s in prepared.samples}) == 3
    assert {len(s.tags) for s in prepared.samples} >= {1, 2, 3}
    share = np.mean([np.mean(read_labels(s.mask) > 0) for s in prepared.samples if s.mask])
    assert 0.1 < share < 0.35


def test_the_pixels_are_the_same_on_every_machine(prepared: Prepared) -> None:
    """If a change of the generator is meant, put the new sum here: all measured figures on shapes change with it."""
    sums = [
        hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]
        for sample in (prepared.samples[0], prepared.samples[-1])
        for pixels in (read_image(sample.image), read_labels(sample.mask or Path()))
    ]
    assert sums == ["84b9fe8ba8a5d837", "4808d09bb5f986a8", "52dea25e2c02864d", "527184c394fc7005"]


def test_scenes_do_not_depend_on_how_many_there_are(prepared: Prepared) -> None:
    assert np.array_equal(scene("val", 3).image, read_image(prepared.split("val")[3].image))
    assert not np.array_equal(scene("val", 3, seed=1).labels, scene("val", 3).labels)


def test_size_is_the_longer_side() -> None:
    made = scene("train", 0, size=200)
    assert max(made.labels.shape) == 200 and made.image.shape == (*made.labels.shape, 3)
