"""Files of mmseg, built from its lists of keys: every key has its place, and what does not fit is said."""

import logging
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import Tensor

from key_lists import keys, sections
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.table import HEADS
from wsss_cli.nets.weights.checking import is_counter
from wsss_cli.nets.weights.names.mmseg import DEEP_STEM, mmseg_backbone
from wsss_cli.nets.weights.pretrained import load_backbone, load_whole

LISTS = sections("ppmg/mmseg_heads")
LISTED = {"psp": "pspnet", "deeplabv3plus": "deeplabv3plus_mmseg", "ocr": "ocrnet", "dnl": "dnlnet"}
CHANNELS = (64, 256, 512, 1024, 2048)


def drawn(shapes: dict[str, tuple[int, ...]], prefix: str) -> dict[str, Tensor]:
    """Random values under these keys, in the types that mmseg saves."""
    counters = {k: torch.tensor(7) for k in shapes if is_counter(k)}
    return {prefix + k: counters[k] if k in counters else torch.rand(shape) for k, shape in shapes.items()}


@pytest.mark.parametrize("listed", [name for name in LISTS if name not in ("", "aux_fcn", "fastscnn")])
def test_every_key_of_the_lists(listed: str) -> None:
    decoder = HEADS[LISTED.get(listed, listed)]
    strides = (2, 4, 8, 8, 8) if decoder.output_stride == 8 else (2, 4, 8, 16, 32)
    with torch.device("meta"):
        head = decoder.head_class()(CHANNELS, strides, 21)
    own = {k: tuple(v.shape) for k, v in head.state_dict().items() if not k.startswith(("neck.", "coarse."))}
    assert own == LISTS[listed]


def fast_scnn() -> dict[str, Any]:
    """A checkpoint of Fast-SCNN with both of its auxiliary heads."""
    state = drawn(keys("ppmg/mmseg_fastscnn"), "backbone.") | drawn(LISTS["fastscnn"], "decode_head.")
    for i, channels in enumerate((128, 64)):
        small = {1024: channels, 256: 32}
        shapes = {k: tuple(small.get(n, n) for n in shape) for k, shape in LISTS["aux_fcn"].items()}
        state |= drawn(shapes, f"auxiliary_head.{i}.")
    return {"meta": {"CLASSES": ["a", "b"]}, "state_dict": state}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mmseg") / "fast_scnn.pth"
    torch.save(fast_scnn(), path)
    return path


def net_of(file: Path, **settings: Any) -> Net:
    return Net(**{"head": "fastscnn", "backbone": "fastscnn", "pretrained": str(file)} | settings)


def test_a_whole_file(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="wsss"):
        net = build_segmenter(net_of(file), 21)
    own, theirs = net.state_dict(), torch.load(file, weights_only=True)["state_dict"]
    assert len(own) == len(theirs)
    for key, value in theirs.items():
        ours = key.replace("backbone.", "backbone.body.").replace("decode_head.", "head.")
        assert torch.equal(own[ours.replace("auxiliary_head.", "auxiliary.")], value)
    weights = sum(not is_counter(k) for k in own)
    assert caplog.messages == [f"backbone 'fastscnn' with head SeparableFcn: {weights} tensors loaded from {file}"]


def test_other_classes_start_anew(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    net = build_segmenter(net_of(file), 5)
    assert "has another number of classes: auxiliary.0.conv_seg.bias, auxiliary.0.conv_seg.weight" in caplog.text
    assert "head.conv_seg.weight start anew" in caplog.text
    theirs = torch.load(file, weights_only=True)["state_dict"]
    assert net.head.conv_seg.weight.std() < 0.02
    assert torch.equal(
        net.head.convs[0].pointwise_conv.conv.weight, theirs["decode_head.convs.0.pointwise_conv.conv.weight"]
    )


def test_auxiliary_heads_that_one_has(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="wsss"):
        assert len(build_segmenter(net_of(file, auxiliary=0), 21).auxiliary) == 0
        state = {k: v for k, v in fast_scnn()["state_dict"].items() if not k.startswith("auxiliary")}
        torch.save(state, tmp_path / "w.pth")
        build_segmenter(net_of(tmp_path / "w.pth"), 21)
    assert f"{file}: auxiliary heads stay unused" in caplog.text
    assert f"{tmp_path}/w.pth: auxiliary heads start anew, it has none" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "pspnet"}, "does not fit backbone 'fastscnn' with head Psp: 'head.convs.0.depthwise_conv"),
        (
            {"backbone_args": {"mmseg": "0.30"}},
            r"learning_to_downsample|global_feature_extractor.out.conv.weight' has shape",
        ),
        ({"backbone": "cgnet"}, "has no place in it"),
    ],
)
def test_refused(file: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(WsssError, match=message):
        build_segmenter(net_of(file, **settings), 21)


def test_cgnet(tmp_path: Path) -> None:
    head = {"conv_seg.weight": (21, 256, 1, 1), "conv_seg.bias": (21,)}
    state = drawn(keys("ppmg/mmseg_cgnet"), "backbone.") | drawn(head, "decode_head.")
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    net = build_segmenter(Net(head="cgnet", backbone="cgnet", pretrained=str(tmp_path / "w.pth")), 21)
    assert torch.equal(net.backbone.body.level2[20].f_glo.fc[2].bias, state["backbone.level2.20.f_glo.fc.2.bias"])
    assert len(net.state_dict()) == len(state)


@pytest.mark.parametrize("num_outputs", [21, 5])
def test_cascades(num_outputs: int) -> None:
    """The first of two heads is `coarse`; a neck is the head's; PointRend's perceptron sees the classes."""
    with torch.device("meta"):
        for head in ("pointrend", "ocrnet"):
            net = build_segmenter(Net(head=head, backbone="resnet50", pretrained="none"), 21)
            theirs = {_of_mmseg(k): v for k, v in net.state_dict().items()}
            mine = build_segmenter(Net(head=head, backbone="resnet50", pretrained="none"), num_outputs)
            found = load_whole(mine, theirs, "file")
            first = "head.fcs.0.conv.weight" if head == "pointrend" else "head.conv_seg.weight"
            assert (first in found.missing) == (num_outputs == 5)
            assert bool(found.missing) == (num_outputs == 5)
            assert "head.neck.lateral_convs.0.conv.weight" not in found.missing


def _of_mmseg(key: str) -> str:
    for ours, theirs in (
        ("backbone.body.", "backbone."),
        ("head.neck.", "neck."),
        ("head.coarse.", "decode_head.0."),
        ("head.", "decode_head.1."),
    ):
        if key.startswith(ours):
            return theirs + key.removeprefix(ours)
    return key


def test_pmm_on_res2net() -> None:
    """Its published network: the names, without the values."""
    with torch.device("meta"):
        state = {k: torch.empty(shape) for k, shape in keys("ppmg/seg_res2net101_psp").items()}
        net = build_segmenter(Net(head="pspnet", backbone="res2net101d", pretrained="none"), 21)
    assert len(net.state_dict()) == len(state)
    found = load_whole(net, state, "pmm.pth")
    assert len(found.matched) == sum(not is_counter(k) for k in state)


@pytest.mark.parametrize(("name", "stride"), [("resnet50d", 8), ("resnet50d", 32), ("resnest50d", 8), ("resnet50c", 8)])
def test_deep_stems(name: str, stride: int) -> None:
    with torch.device("meta"):
        body = Backbone(name, stride).body
    kept = (3, 4) if stride == 8 else ()  # stages that keep the resolution have no pooling there, like the first
    theirs = {_deep_stem(k, (1, *kept) if name != "resnet50c" else ()): v for k, v in body.state_dict().items()}
    assert "stem.7.bias" in theirs
    assert name == "resnet50c" or {"layer1.0.downsample.0.weight", "layer2.0.downsample.1.weight"} <= theirs.keys()
    assert list(mmseg_backbone(name, body, theirs)) == list(body.state_dict())


def _deep_stem(key: str, unpooled: tuple[int, ...]) -> str:
    key = next((s + key.removeprefix(o) for s, o in DEEP_STEM if key.startswith(o)), key)
    for i in unpooled:
        for n in (1, 2):
            key = key.replace(f"layer{i}.0.downsample.{n}.", f"layer{i}.0.downsample.{n - 1}.")
    return key


def test_mobilenet() -> None:
    model = timm.create_model("mobilenetv2_100")
    features = timm.create_model("mobilenetv2_100", features_only=True).state_dict()
    convs = {"conv_pw": 0, "conv_dw": 1, "conv_pwl": 2}

    def theirs(key: str) -> str:
        if not key.startswith("blocks."):
            return key.replace("conv_stem.", "conv1.conv.") if "stem" in key else key.replace("bn1.", "conv1.bn.")
        _, stage, block, part, tensor = key.split(".")
        first = stage == "0"
        n = {"conv_dw": 0, "conv_pw": 1}.get(part) if first else convs.get(part)
        kind, n = ("conv", n) if n is not None else ("bn", int(part[2:]) - 1)
        return f"layer{int(stage) + 1}.{block}.conv.{n}.{kind}.{tensor}"

    state = {theirs(k): model.state_dict()[k] for k in features}
    assert {"conv1.conv.weight", "layer1.0.conv.1.bn.weight", "layer7.0.conv.2.conv.weight"} <= state.keys()
    backbone = Backbone("mobilenetv2_100", 8)
    load_backbone(backbone, state, "file")
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in backbone.body.state_dict().items())
