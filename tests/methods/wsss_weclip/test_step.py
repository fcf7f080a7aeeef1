"""What stands outside the image in a crop, images without a class, and samples that depend on their generator alone."""

import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tiny_weclip import TRAIN, text_of
from wsss_cli.config import merge, resolve
from wsss_cli.data.prepared import Sample
from wsss_weclip.config import Augment, Train
from wsss_weclip.data import WeClipData
from wsss_weclip.nets import WeClip
from wsss_weclip.stages import frozen
from wsss_weclip.step import WeClipStep


def test_padding_is_learnt_as_released_or_ignored() -> None:
    torch.manual_seed(0)
    config = resolve(Train, "train", TRAIN)
    net = WeClip(*frozen(config.net), config.net, text_of(3)).eval()
    batch = {
        "image": torch.randn(2, 3, 64, 64),
        "tags": torch.tensor([[1.0, 0, 1], [0, 0, 0]]),  # the second shows no class
        "box": torch.tensor([[0, 64, 0, 40], [0, 64, 0, 64]]),
        "kept": torch.ones(2, 16),
    }
    seen = net.look(batch["image"], batch["tags"], config.labelling.maps)
    said = net(seen)
    plain = WeClipStep(net, config).labels(batch, seen, said, 9)
    assert set(plain.unique().tolist()) <= {0, 1, 3} and not plain[1].any()
    ignoring = resolve(Train, "train", merge(TRAIN, {"labelling": {"padding": False}}))
    labels = WeClipStep(net, ignoring).labels(batch, seen, said, 9)
    assert (labels[0, :, 40:] == 255).all() and torch.equal(labels[0, :, :40], plain[0, :, :40])
    losses = WeClipStep(net, ignoring)(net, batch, 9)
    assert all(value.isfinite() for value in losses.values())


def test_samples_are_drawn_by_their_generator_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (90, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    sample = Sample("a", tmp_path / "a.png", 40, 90, (1, 3))
    data = WeClipData([sample], 3, Augment(crop=64), 1000, 0.1)
    one, again, other = (data.item(0, random.Random(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["image"], other["image"]) and not torch.equal(one["kept"], other["kept"])
    assert one["kept"].unique().tolist() == [0.0, torch.tensor(1 / 0.9).item()]
    assert 50 < (one["kept"] == 0).sum() < 150
    whole = WeClipData([sample], 3, Augment(crop=64, whole=True), 8, 0.1).item(0, random.Random(0))
    assert whole["box"].tolist() == [0, 64, 0, 28] and not whole["image"][:, 28:].any()
