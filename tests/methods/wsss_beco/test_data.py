"""Training samples: what they are drawn from, and files that do not fit."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_beco.config import Crop, Train
from wsss_beco.data import CoTrainingData
from wsss_cli.batches.loader import sample_rng
from wsss_cli.data.labels import write_labels, write_mask01
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError


def test_samples_depend_on_seed_epoch_and_index_only(data: CoTrainingData) -> None:
    def draw(epoch: int, index: int) -> dict[str, Any]:
        random.random()
        torch.rand(1)
        return data.item(index, sample_rng(7, epoch, index))

    first, again, later = draw(1, 2), draw(1, 2), draw(2, 2)
    assert all(torch.equal(first[k], again[k]) for k in ("image", "label", "mask", "priority"))
    assert first["jitter"] == again["jitter"] and first["mixed"] == again["mixed"]
    assert first["jitter"] != later["jitter"] and not torch.equal(first["priority"], later["priority"])
    assert first["image"].shape == (32, 32, 3) and first["label"].shape == first["mask"].shape == (32, 32)


def test_image_label_and_mask_are_cut_alike(tmp_path: Path) -> None:
    """The image shows its label, the mask is where the label is odd: so it must be after any crop, nearly."""
    labels = np.kron(np.random.default_rng(0).integers(0, 4, (6, 7)), np.ones((40, 40))).astype(np.uint8)
    Image.fromarray(np.stack([labels * 60] * 3, 2)).save(tmp_path / "0.png")
    write_labels(tmp_path / "labels.png", labels)
    write_mask01(tmp_path / "mask.png", labels % 2 == 1)
    sample = Sample("0", tmp_path / "0.png", 280, 240, (1, 2, 3))
    files = (lambda s: tmp_path / "labels.png"), (lambda s: tmp_path / "mask.png")
    data = CoTrainingData([sample], *files, 4, Train(crop=Crop(size=96)))
    for epoch in range(8):
        item = data.item(0, sample_rng(0, epoch, 0))
        assert torch.equal(item["mask"], item["label"] % 2 == 1)
        assert ((item["image"][..., 0].float() / 60).round() == item["label"]).float().mean() > 0.97


def test_without_masks_every_label_is_trusted(data: CoTrainingData) -> None:
    path = data.labels(data.samples[0])
    labels = np.zeros((40, 48), np.uint8)
    labels[:, ::2] = 255
    write_labels(path, labels)
    data.masks = None
    item = data.item(0, sample_rng(0, 0, 0))
    assert torch.equal(item["mask"], item["label"] != 255) and 0 < item["mask"].float().mean() < 1


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("labels", np.full((40, 48), 9, np.uint8), "holds the id 9, the data set's classes are 1..3"),
        ("labels", np.zeros((48, 40), np.uint8), "is 40 x 48, its image 48 x 40"),
        ("masks", np.zeros((40, 47), np.uint8), "is 47 x 40, its image 48 x 40"),
        ("masks", np.full((40, 48), 7, np.uint8), "holds 7, neither 0/1 nor 0/255"),
    ],
)
def test_files_that_do_not_fit_are_named(data: CoTrainingData, kind: str, content: np.ndarray, message: str) -> None:
    path = getattr(data, kind)(data.samples[2])
    Image.fromarray(content).save(path)
    with pytest.raises(WsssError, match=f"{path}.*{message}"):
        data.item(2, sample_rng(0, 0, 2))
