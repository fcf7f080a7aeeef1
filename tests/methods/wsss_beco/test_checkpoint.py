"""Official checkpoints: BECO's two networks and mmcls' ResNetV1d-101, every key of the official list accounted for."""

import logging
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from key_lists import constant, keys
from name_seeded import draw
from reference_vectors import vectors
from wsss_beco.checkpoint import DEEPLAB, RESNETD, from_official, load_official
from wsss_beco.nets import TwoNetworks
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.nets.weights.renaming import inverse, rename

KEYS = keys("beco/beco_state_dict")
TENSORS = sum("num_batches" not in k for k in KEYS)


def ours(key: str) -> str:
    """Our name of an official key, written down again from the report's mapping table."""
    if not key.startswith("backbone."):
        return f"head.{key}"
    name = key.removeprefix("backbone.")
    name = re.sub(r"^stem_layer\.conv(\d)", lambda m: f"conv1.{3 * (int(m[1]) - 1)}", name)
    name = re.sub(r"^stem_layer\.bn([12])", lambda m: f"conv1.{3 * int(m[1]) - 2}", name)
    name = name.replace("stem_layer.bn3", "bn1")
    name = re.sub(r"^layer1\.0\.downsample\.(\d)", lambda m: f"layer1.0.downsample.{int(m[1]) + 1}", name)
    return f"backbone.body.{name}"


@pytest.fixture(scope="module")
def nets() -> TwoNetworks:
    return TwoNetworks(Net(pretrained="none"), 21)


def test_best_ckpt(tmp_path: Path, caplog: pytest.LogCaptureFixture, nets: TwoNetworks) -> None:
    both, path = (constant(KEYS, 1), constant(KEYS, 2)), tmp_path / "best_ckpt.pth"
    torch.save({"net_state_dict": {"network1": both[0], "network2": both[1]}}, path)
    with caplog.at_level(logging.INFO, logger="wsss"):
        found = load_official(nets, path)
    counts = f"all {TENSORS} tensors loaded from {path}"
    assert caplog.messages == [f"network{i} of BECO: {counts}" for i in (1, 2)]
    for net, state, f in zip((nets.network1, nets.network2), both, found):
        own = net.state_dict()
        assert len(own) == len(KEYS) == 710
        assert len(f.matched) == TENSORS
        assert f.missing == f.mismatched == f.unused == ()
        assert all(torch.equal(own[ours(key)], value) for key, value in state.items())


def test_training_state_of_beco(tmp_path: Path, nets: TwoNetworks) -> None:
    """ckpt_epoch_N.pth holds more, an empty model_state_dict among it; with code in it, it must be trusted."""
    path, state = tmp_path / "ckpt_epoch_3.pth", constant(KEYS, 3)
    content = {"optim_state_dict": {"state": {0: torch.ones(1)}}, "model_state_dict": {}, "buffer": Fraction(1, 2)}
    torch.save(content | {"net_state_dict": {"network1": state, "network2": state}}, path)
    with pytest.raises(WsssError, match="--trust-checkpoint"):
        load_official(nets, path)
    load_official(nets, path, trust=True)
    assert torch.equal(nets.network2.head.classifier.bias, state["classifier.bias"])


def without(state: dict[str, Tensor], key: str) -> dict[str, Tensor]:
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"network1": s}, "no official checkpoint of BECO: it holds no network2"),
        (lambda s: s, "no official checkpoint of BECO: it holds 'backbone.stem_layer.conv1.weight'"),
        (lambda s: {"network1": s, "network2": s, "network3": s}, "it holds 'network3.backbone"),
        (
            lambda s: {"network1": s, "network2": without(s, "classifier.bias")},
            f"does not fit network2 of BECO: {TENSORS - 1} of {TENSORS} tensors match; 'head.classifier.bias' is miss",
        ),
        (
            lambda s: {"network1": s | {"aux.weight": torch.ones(1)}, "network2": s},
            "does not fit network1 of BECO: 'head.aux.weight' has no place in it",
        ),
        (
            lambda s: {"network1": s | {"classifier.bias": torch.ones(81)}, "network2": s},
            r"'head.classifier.bias' has shape \(81,\), not \(21,\)",
        ),
    ],
)
def test_refused(tmp_path: Path, nets: TwoNetworks, change: Any, message: str) -> None:
    torch.save({"net_state_dict": change(constant(KEYS, 4))}, tmp_path / "w.pth")
    with pytest.raises(WsssError, match=message):
        load_official(nets, tmp_path / "w.pth")


@vectors("beco/full_deeplab")
def test_network_of_a_checkpoint_equals_beco(ref: dict[str, Any]) -> None:
    """A checkpoint of name-seeded tensors under the official names gives the official network's logits."""
    shapes = {k: (ref["num_classes"], *s[1:]) if k.startswith("classifier.") else s for k, s in KEYS.items()}
    state = {k: torch.from_numpy(draw(k, s)) for k, s in shapes.items() if not k.endswith("num_batches_tracked")}
    net = build_segmenter(Net(pretrained="none"), ref["num_classes"]).eval()
    twice = {f"network{i}.{k}": v for i in (1, 2) for k, v in state.items()}
    load_exactly(net, from_official(twice)[1], "network2", "FILE")
    images = torch.tensor(ref["input"])
    with torch.no_grad():
        levels = net.backbone(images)
        embeddings, logits = net.embeddings(images), net(images)
    full = F.interpolate(logits, images.shape[2:], mode="bilinear", align_corners=False)
    close(levels[1][:, ::8], ref["layer1"])
    close(levels[-1][:, ::4], ref["layer4"])
    assert levels[1].abs().mean().item() == pytest.approx(ref["layer1_absmean"], rel=1e-3)
    assert levels[-1].abs().mean().item() == pytest.approx(ref["layer4_absmean"], rel=1e-3)
    close(embeddings[:, ::4], ref["embeddings"])
    close(logits, ref["pre_logits"])
    close(full[..., ::4, ::4], ref["logits_sub"])


def close(ours: Tensor, theirs: Any) -> None:
    """Largest difference at most 1e-3 of the largest value."""
    theirs = torch.as_tensor(theirs)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-3 * theirs.abs().max()


def test_the_names_are_one_to_one() -> None:
    keys = [k.removeprefix("backbone.body.") for k in map(ours, KEYS) if k.startswith("backbone.")]
    theirs = [rename(k, inverse(RESNETD)) for k in keys]
    assert len(set(theirs)) == len(keys) and [rename(k, RESNETD) for k in theirs] == keys
    net = [*(f"backbone.body.{k}" for k in keys), "head.projector.0.weight", "head.classifier.bias"]
    theirs = [rename(k, inverse(DEEPLAB)) for k in net]
    assert {"backbone.stem_layer.conv3.weight", "projector.0.weight", "classifier.bias"} <= set(theirs)
    assert [rename(k, DEEPLAB) for k in theirs] == net


def mmcls() -> dict[str, Tensor]:
    """resnetv1d101_b32x8_imagenet of mmcls: BECO's backbone under mmcls' names, and its classifier."""
    state = {}
    for key, value in constant(KEYS, 5).items():
        if key.startswith("backbone."):
            state[re.sub(r"stem_layer\.(conv|bn)(\d)", lambda m: f"stem.{int(m[2]) - 1}.{m[1]}", key)] = value
    fc = {"head.fc.weight": torch.zeros(1).expand(1000, 2048), "head.fc.bias": torch.zeros(1).expand(1000)}
    return state | fc


def test_resnetv1d101_of_mmcls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state, path = mmcls(), tmp_path / "resnetv1d101.pth"
    assert {"backbone.stem.2.bn.weight", "backbone.layer1.0.downsample.0.weight"} <= state.keys()
    torch.save({"state_dict": state, "meta": {}}, path)
    backbone = Backbone("resnet101d")
    with caplog.at_level(logging.INFO, logger="wsss"):
        found = load_pretrained(backbone, str(path))
    total = sum(k.startswith("backbone.") and "num_batches" not in k for k in KEYS)
    assert found is not None
    assert (len(found.matched), found.unused) == (total, ("fc.weight", "fc.bias"))
    loaded = f"resnet101d: {total} of {total} backbone tensors loaded from {path} (2 classifier tensors unused)"
    assert caplog.messages == [loaded]
    own = backbone.body.state_dict()
    for key, value in constant(KEYS, 5).items():
        if key.startswith("backbone."):
            assert torch.equal(own[ours(key).removeprefix("backbone.body.")], value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"backbone.layer1.0.conv4.weight": torch.ones(1)}, "'layer1.0.conv4.weight' has no place in it"),
        ({"auxiliary.weight": torch.ones(1)}, "holds 'auxiliary.weight', which neither backbone 'resnet101d' nor its"),
    ],
)
def test_unexpected_tensor_of_mmcls(tmp_path: Path, more: dict[str, Tensor], message: str) -> None:
    torch.save({"state_dict": mmcls() | more}, tmp_path / "w.pth")
    with pytest.raises(WsssError, match=message):
        load_pretrained(Backbone("resnet101d"), str(tmp_path / "w.pth"))
