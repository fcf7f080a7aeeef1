"""Photometric distortion, crops of one class, scales of the short side."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_cli.batches.photometric import distorted
from wsss_cli.batches.segmentation import Augment, SegmentationData, cropped
from wsss_cli.batches.transforms import short_side_scale
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample


class Coins(random.Random):
    """Coins fall as told; every other draw is the upper end."""

    def __init__(self, coins: list[bool]) -> None:
        super().__init__(0)
        self.coins = coins

    def random(self) -> float:
        return 0.0 if self.coins.pop(0) else 1.0

    def uniform(self, low: float, high: float) -> float:
        return high

    def randint(self, low: int, high: int) -> int:
        return high


def changed(coins: list[bool], colour: tuple[int, int, int]) -> list[int]:
    rng = Coins(coins)
    pixel = distorted(torch.tensor(colour, dtype=torch.uint8).expand(2, 3, 3), rng)[0, 0].tolist()
    assert not rng.coins  # every coin was thrown
    return pixel


def test_each_change_alone() -> None:
    """Coins: brightness, whether contrast comes first, then contrast, saturation, hue in that order."""
    assert changed([True, False, False, False, False], (10, 100, 250)) == [42, 132, 255]
    assert changed([False, True, True, False, False], (10, 101, 250)) == [15, 151, 255]
    assert changed([False, False, False, False, True], (11, 101, 200)) == [16, 151, 255]
    assert changed([False, False, False, False, False], (10, 101, 250)) == [10, 101, 250]
    red, green, blue = changed([False, False, True, False, False], (200, 100, 100))
    assert (red, green) == (200, blue) and 48 <= green <= 52  # saturation 127 -> 190
    turned = changed([False, False, False, True, False], (200, 0, 0))  # 36 degrees: 3/5 of the way to yellow
    assert turned[0] == 200 and 117 <= turned[1] <= 121 and turned[2] == 0


def test_crops_of_one_class_are_drawn_again() -> None:
    label = np.zeros((40, 400), np.uint8)
    label[:, 380:390], label[:, 390:] = 1, 255
    image = np.zeros((40, 400, 3), np.uint8)

    def mixed(largest_share: float) -> float:
        crops = [cropped(image, label, 40, random.Random(i), largest_share)["label"] for i in range(100)]
        return sum(bool((crop == 1).any()) for crop in crops) / 100

    assert mixed(0.75) > 2 * mixed(1.0) > 0


@pytest.mark.parametrize(
    ("size", "length", "expected"), [((300, 500), 512, 512 / 300), ((100, 800), 512, 4 * 512 / 800), ((3, 9), None, 1)]
)
def test_short_side_scale(size: tuple[int, int], length: int | None, expected: float) -> None:
    assert short_side_scale(size, length) == pytest.approx(expected)


def test_settings_change_nothing_when_they_are_off(tmp_path: Path) -> None:
    """The draws of an ordinary augmentation are those it always had."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    write_labels(tmp_path / "l.png", rng.integers(0, 3, (30, 40)).astype(np.uint8))
    samples = [Sample("a", tmp_path / "a.png", 40, 30, (1,))]
    sizes = {
        "plain": Augment(crop=32),
        "short": Augment(crop=32, short_side=30),
        "colour": Augment(crop=32, photometric=True),
    }
    items = {
        name: SegmentationData(samples, lambda s: tmp_path / "l.png", augment).item(0, random.Random(3))
        for name, augment in sizes.items()
    }
    assert torch.equal(items["plain"]["image"], items["short"]["image"])
    assert torch.equal(items["plain"]["label"], items["colour"]["label"])
    assert not torch.equal(items["plain"]["image"], items["colour"]["image"])
