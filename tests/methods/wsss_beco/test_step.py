"""The training step in itself: what it mixes when, what it leaves as it was, and that ranks' shares make the whole."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import default_collate

from wsss_beco.data import CoTrainingData, to_device
from wsss_beco.nets import Ensemble, TwoNetworks
from wsss_beco.step import CoTraining
from wsss_cli.batches.loader import sample_rng
from wsss_cli.nets.backbones.backbone import freeze_batchnorm
from wsss_cli.nets.config import Net


@pytest.fixture
def net(data: CoTrainingData) -> TwoNetworks:
    """Without dropout and batch statistics, which depend on the size of the batch."""
    torch.manual_seed(0)
    net = TwoNetworks(data.config.net, 4)
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
    step = CoTraining(net, data.config, warm_up=3)
    whole = step(net, batch(data, range(4)), k)
    halves = [step(net, batch(data, part), k) for part in ((0, 1), (2, 3))]
    for name, value in whole.items():
        mean = (halves[0][name] + halves[1][name]) / 2
        torch.testing.assert_close(value, mean, rtol=1e-5, atol=1e-6)
    assert set(whole) == {"ce1", "ce2", "cot1", "cot2"}


def test_networks_train_in_train_mode_and_see_unmixed_images_in_eval_mode(data: CoTrainingData) -> None:
    torch.manual_seed(0)
    net = TwoNetworks(data.config.net, 4)
    seen = []
    net.network1.register_forward_pre_hook(lambda module, args: seen.append((module.training, args[0].clone())))
    content = batch(data, range(4))
    counters = {k: v.clone() for k, v in net.state_dict().items() if "num_batches" in k}
    CoTraining(net, data.config, warm_up=0)(net, content, 0)
    assert [training for training, _ in seen] == [False, True] and net.training
    assert torch.equal(seen[0][1], content["image"]) and not torch.equal(seen[1][1], content["image"])
    after = {k: v for k, v in net.state_dict().items() if "num_batches" in k}
    assert all(after[k] == v + 1 for k, v in counters.items())


def test_warm_up_keeps_the_given_labels(data: CoTrainingData, net: TwoNetworks) -> None:
    content = batch(data, range(4)) | {"mixed": torch.tensor([True, True, False, True])}
    offline = CoTraining(net, data.config, warm_up=1).mix(content, 0)
    online = CoTraining(net, data.config, warm_up=1).mix(content, 1)
    assert not offline.band.any() and (offline.images != content["image"]).any()
    for mixed in (offline, online):
        assert torch.equal(mixed.labels[2], content["label"][2]) and torch.equal(mixed.images[2], content["image"][2])
        assert torch.equal(mixed.masks[2], content["mask"][2])
    pairs = content["label"][[1, 0, 3, 2]]
    assert ((offline.labels == content["label"]) | (offline.labels == pairs)).all()
    assert not ((online.labels == content["label"]) | (online.labels == pairs)).all()


def test_gradients_reach_every_weight_of_both(data: CoTrainingData) -> None:
    torch.manual_seed(0)
    net = TwoNetworks(data.config.net, 4)
    losses = CoTraining(net, data.config, warm_up=0)(net, batch(data, range(4)), 0)
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_heads_that_learn_by_more_than_their_prediction(data: CoTrainingData) -> None:
    """DANet's branches and its auxiliary head, of both networks: DDP wants every weight to have a gradient."""
    torch.manual_seed(0)
    net = TwoNetworks(Net(head="danet", backbone="test_resnet", pretrained="none", width=16), 4)
    losses = CoTraining(net, data.config, warm_up=0)(net, batch(data, range(4)), 0)
    extra = [f"{name}{i}" for i in (1, 2) for name in ("pixels", "channels", "auxiliary")]
    assert list(losses) == ["ce1", "ce2", "cot1", "cot2", *extra]
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_bf16_is_near(data: CoTrainingData, net: TwoNetworks) -> None:
    step, content = CoTraining(net, data.config, warm_up=3), batch(data, range(4))
    full = step(net, content, 0)
    with torch.autocast("cpu", torch.bfloat16):
        half = step(net, content, 0)
    for name, value in full.items():
        torch.testing.assert_close(half[name], value, rtol=0.05, atol=0.05)


def test_together_is_the_mean(net: TwoNetworks) -> None:
    images = torch.randn(2, 3, 33, 40)
    net.eval()
    with torch.no_grad():
        one, two = net(images)
        assert torch.equal(Ensemble(net, "both")(images), (two + one) / 2)
        assert torch.equal(Ensemble(net, "1")(images), one) and torch.equal(Ensemble(net, "2")(images), two)
