"""Cells and their tags against the released ones; samples drawn from them."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reference_vectors import vectors
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_ppmg.config import Grid, Jitter, SeamTraining
from wsss_ppmg.data import RandomCrops, TaggedCells, recoloured
from wsss_ppmg.grid import cells, regions, tags_in


@vectors("ppmg/multicrop")
def test_cells_and_tags(ref: dict[str, Any]) -> None:
    width, height = (int(n) for n in ref["wh"])
    by_scale = [cells(width, height, float(s)) for s in ref["scales"]]
    assert [len(some) for some in by_scale] == ref["count_per_scale"].tolist()
    every = [cell for some in by_scale for cell in some]
    np.testing.assert_array_equal(every, ref["boxes"])
    known = {int(k.removeprefix("heat").removesuffix("_gt09")): ref[k] > 0 for k in ref if k.startswith("heat")}
    sure = np.stack(list(known.values()))
    found = np.zeros_like(ref["new_labels"])
    found[:, [c - 1 for c in known]] = [tags_in(cell, sure) for cell in every]
    np.testing.assert_array_equal(found, ref["new_labels"])


def test_inner_cells_do_not_overlap() -> None:
    assert [(x0, x1) for x0, _, x1, _ in cells(1000, 100, 1.0)] == [(0, 300), (300, 600), (552, 1000)]
    assert cells(1, 1, 0.75) == [(0, 0, 1, 1)]


def test_a_class_without_a_region_holds_nowhere() -> None:
    sure = np.zeros((2, 10, 10), bool)
    sure[1, 0, 0] = True
    assert tags_in((0, 0, 5, 5), sure).tolist() == [False, True]
    assert tags_in((5, 5, 10, 10), sure).tolist() == [False, False]


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    rough = np.full((60, 80), 255, np.uint8)
    rough[:20, :20], rough[40:, 60:], rough[30:35] = 4, 7, 0
    write_labels(tmp_path / "rough.png", rough)
    return Sample("a", tmp_path / "a.png", 80, 60, (4, 7, 9))


def tagged_cells(sample: Sample, **changes: Any) -> TaggedCells:
    grid = Grid(**{"scales": (1.0, 2.0), "crop": 40, "stride": 25} | changes)
    return TaggedCells([sample], 9, grid, Jitter(), lambda s: s.image.with_name("rough.png"), 0.1)


def test_a_cells_tags_are_those_that_hold_in_it(sample: Sample) -> None:
    data = tagged_cells(sample)
    rough = regions(np.asarray(Image.open(sample.image.with_name("rough.png"))), sample.tags)
    seen = set()
    for i in range(60):
        cell, tags = data.draw(sample, random.Random(i))
        assert tags == [t for t, holds in zip(sample.tags, tags_in(cell, rough)) if holds]
        seen.add(tuple(tags))
    assert {(4,), (7,)} <= seen and not any(9 in tags for tags in seen)
    item = data.item(0, random.Random(5))
    assert item["image"].shape == (40, 40, 3) and item["image"].dtype == torch.uint8
    assert item["valid"].tolist() == [0, 0, 40, 40]
    assert item["tags"].nonzero().flatten().add(1).tolist() == data.draw(sample, random.Random(5))[1]


def test_a_cell_without_tags_is_kept_at_last(sample: Sample) -> None:
    write_labels(sample.image.with_name("rough.png"), np.full((60, 80), 255, np.uint8))
    item = tagged_cells(sample).item(0, random.Random(0))
    assert item["tags"].sum() == 0


def test_random_crops(sample: Sample) -> None:
    data = RandomCrops([sample], 9, SeamTraining(resize_long=(40, 50), crop=48))
    item, again = (data.item(0, random.Random(2)) for _ in range(2))
    assert torch.equal(item["image"], again["image"]) and item["image"].shape == (48, 48, 3)
    assert item["tags"].nonzero().flatten().tolist() == [3, 6, 8]
    y, x, h, w = item["valid"].tolist()
    assert (40 <= w <= 48 and h == round(w * 60 / 80)) or w == 48
    outside = item["image"].clone()
    outside[y : y + h, x : x + w] = 0
    assert not outside.any()


def test_recolouring_stays_within_its_ranges() -> None:
    grey = np.full((4, 4, 3), 100, np.uint8)
    values = [recoloured(grey, Jitter(), random.Random(i))[0, 0] for i in range(40)]
    assert all(len(set(v.tolist())) == 1 for v in values)  # grey stays grey
    assert min(v[0] for v in values) >= 69 and max(v[0] for v in values) <= 131 and len({v[0] for v in values}) > 10
    none = Jitter(brightness=0, contrast=0, saturation=0, hue=0)
    assert np.abs(recoloured(grey, none, random.Random(0)).astype(int) - 100).max() <= 1
