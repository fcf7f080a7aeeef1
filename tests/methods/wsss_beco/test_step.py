"""The training step in itself: what it mixes when, what it leaves as it was, and that ranks' shares make the whole."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import default_collate

from wsss_beco.config import Crop, Mixing, Train
from wsss_beco.data import CoTrainingData, to_device
from wsss_beco.nets import Together, TwoNetworks
from wsss_beco.stages import CoTraining
from wsss_cli.data.labels import write_labels, write_mask01
from wsss_cli.data.loader import sample_rng
from wsss_cli.data.prepared import Sample
from wsss_cli.nets.backbones import freeze_batchnorm
from wsss_cli.nets.config import Net

NET = Net(backbone="test_resnet", pretrained="none", width=16, aspp_rates=(1, 2, 3))
CONFIG = Train(net=NET, crop=Crop(size=32), mixing=Mixing(threshold=0.3))
K = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> CoTrainingData:
    """Four noisy pictures with blocks of classes."""
    folder = tmp_path_factory.mktemp("data")
    samples = []
    for i in range(4):
        rng = np.random.default_rng(i)
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        labels = np.kron(rng.integers(0, K, (5, 6)), np.ones((8, 8))).astype(np.uint8)
        write_labels(folder / f"labels{i}.png", labels)
        write_mask01(folder / f"mask{i}.png", rng.random((40, 48)) < 0.5)
        samples.append(Sample(str(i), folder / f"{i}.png", 48, 40, (1, 2, 3)))

    def find(stem: str) -> Any:
        return lambda s: folder / f"{stem}{s.id}.png"

    return CoTrainingData(samples, find("labels"), find("mask"), K, CONFIG)


@pytest.fixture
def net() -> TwoNetworks:
    """Without dropout and batch statistics, which depend on the size of the batch."""
    torch.manual_seed(0)
    net = TwoNetworks(NET, K)
    freeze_batchnorm(net)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


def batch(data: CoTrainingData, indices: Any, epoch: int = 0) -> dict[str, Any]:
    items = [data.item(i, sample_rng(7, epoch, i)) for i in indices]
    return to_device(default_collate(items), torch.device("cpu"))


@pytest.mark.parametrize("k", [0, 5])
def test_halves_of_a_batch_make_the_whole(data: CoTrainingData, net: TwoNetworks, k: int) -> None:
    """As ranks and accumulation cut it; before and after the warm-up."""
    step = CoTraining(net, CONFIG, warm_up=3)
    whole = step(net, batch(data, range(4)), k)
    halves = [step(net, batch(data, part), k) for part in ((0, 1), (2, 3))]
    for name, value in whole.items():
        mean = (halves[0][name] + halves[1][name]) / 2
        torch.testing.assert_close(value, mean, rtol=1e-5, atol=1e-6)
    assert set(whole) == {"ce1", "ce2", "cot1", "cot2"}


def test_networks_train_in_train_mode_and_see_unmixed_images_in_eval_mode(data: CoTrainingData) -> None:
    torch.manual_seed(0)
    net = TwoNetworks(NET, K)
    seen = []
    net.network1.register_forward_pre_hook(lambda module, args: seen.append((module.training, args[0].clone())))
    content = batch(data, range(4))
    counters = {k: v.clone() for k, v in net.state_dict().items() if "num_batches" in k}
    CoTraining(net, CONFIG, warm_up=0)(net, content, 0)
    assert [training for training, _ in seen] == [False, True] and net.training
    assert torch.equal(seen[0][1], content["image"]) and not torch.equal(seen[1][1], content["image"])
    after = {k: v for k, v in net.state_dict().items() if "num_batches" in k}
    assert all(after[k] == v + 1 for k, v in counters.items())


def test_warm_up_keeps_the_given_labels(data: CoTrainingData, net: TwoNetworks) -> None:
    content = batch(data, range(4)) | {"mixed": torch.tensor([True, True, False, True])}
    offline = CoTraining(net, CONFIG, warm_up=1).mix(content, 0)
    online = CoTraining(net, CONFIG, warm_up=1).mix(content, 1)
    assert not offline.band.any() and (offline.images != content["image"]).any()
    for mixed in (offline, online):
        assert torch.equal(mixed.labels[2], content["label"][2]) and torch.equal(mixed.images[2], content["image"][2])
        assert torch.equal(mixed.masks[2], content["mask"][2])
    pairs = content["label"][[1, 0, 3, 2]]
    assert ((offline.labels == content["label"]) | (offline.labels == pairs)).all()
    assert not ((online.labels == content["label"]) | (online.labels == pairs)).all()


def test_gradients_reach_every_weight_of_both(data: CoTrainingData) -> None:
    torch.manual_seed(0)
    net = TwoNetworks(NET, K)
    losses = CoTraining(net, CONFIG, warm_up=0)(net, batch(data, range(4)), 0)
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_bf16_is_near(data: CoTrainingData, net: TwoNetworks) -> None:
    step, content = CoTraining(net, CONFIG, warm_up=3), batch(data, range(4))
    full = step(net, content, 0)
    with torch.autocast("cpu", torch.bfloat16):
        half = step(net, content, 0)
    for name, value in full.items():
        torch.testing.assert_close(half[name], value, rtol=0.05, atol=0.05)


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
    data = CoTrainingData([sample], *files, K, Train(crop=Crop(size=96)))
    for epoch in range(8):
        item = data.item(0, sample_rng(0, epoch, 0))
        assert torch.equal(item["mask"], item["label"] % 2 == 1)
        assert ((item["image"][..., 0].float() / 60).round() == item["label"]).float().mean() > 0.97


def test_together_is_the_mean(net: TwoNetworks) -> None:
    images = torch.randn(2, 3, 33, 40)
    net.eval()
    with torch.no_grad():
        one, two = net(images)
        assert torch.equal(Together(net, "both")(images), (two + one) / 2)
        assert torch.equal(Together(net, "1")(images), one) and torch.equal(Together(net, "2")(images), two)
