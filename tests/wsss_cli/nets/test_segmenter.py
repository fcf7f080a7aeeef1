"""Every decode head on every kind of backbone: two steps, export and reload, sizes, settings, messages."""

from pathlib import Path

import pytest
import torch

from wsss_cli.config import as_dict, resolve
from wsss_cli.errors import WsssError
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_backbone, build_head, build_segmenter
from wsss_cli.nets.heads import HEADS
from wsss_cli.nets.segmenter import Segmenter

SMALL = {"width": 32, "aspp_rates": (1, 2)}
OWN_SETTINGS = {"deeplabv3plus": SMALL, "deeplabv2": {"aspp_rates": (1, 2)}, "segformer": {"width": 32}}


def net(head: str, backbone: str = "mobilenetv2_100", **settings: object) -> Net:
    return Net(head=head, backbone=backbone, pretrained="none", **OWN_SETTINGS.get(head, {}) | settings)


@pytest.mark.parametrize("backbone", ["mobilenetv2_100", "mit_b0"])
@pytest.mark.parametrize("head", HEADS)
def test_two_steps_then_export_and_reload(tmp_path: Path, head: str, backbone: str) -> None:
    torch.manual_seed(0)
    settings = net(head, backbone)
    model = build_segmenter(settings, 5).train()
    images, labels = torch.randn(2, 3, 64, 96), torch.randint(5, (2, 64, 96))
    labels[:, :3] = 255
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.02), []
    for _ in range(2):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert not [k for k, p in model.head.named_parameters() if p.grad is None]
    torch.save({"net": as_dict(settings), "model": model.state_dict()}, tmp_path / "checkpoint.pt")

    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    again = build_segmenter(Net(**content["net"]), 5)
    again.load_state_dict(content["model"])
    with torch.no_grad():
        logits = model.eval()(images)
        assert torch.equal(again.eval()(images), logits)
    stride = 4 if head != "deeplabv2" else 8
    assert logits.shape == (2, 5, 64 // stride, 96 // stride)


@pytest.mark.parametrize("name", ["mobilenetv2_100", "resnet18", "convnext_atto", "mit_b0"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_any_backbone_stride_and_size(name: str, stride: int) -> None:
    args = {"pad_type": "same"} if name == "mobilenetv2_100" else {}
    height, width = (32, 64) if name == "convnext_atto" else (33, 49)
    images = torch.randn(1, 3, height, width)
    backbone = build_backbone(net("segformer", name, output_stride=stride, backbone_args=args)).eval()
    assert backbone.strides[-1] == stride
    for head in HEADS:
        model = Segmenter(backbone, build_head(net(head, name), backbone, 3)).eval()
        with torch.no_grad():
            logits, embeddings = model(images), model.embeddings(images)
        step = stride if head == "deeplabv2" else 4
        assert logits.shape == (1, 3, (height - 1) // step + 1, (width - 1) // step + 1)
        assert embeddings.shape[2:] == logits.shape[2:]
        assert torch.equal(model.head.classifier(embeddings), logits)


@pytest.mark.parametrize(("head", "stride"), [("deeplabv3plus", 16), ("deeplabv2", 8), ("segformer", 32)])
def test_published_output_stride_unless_set(head: str, stride: int) -> None:
    assert Net(head=head).stride() == stride
    assert Net(head=head, output_stride=16).stride() == 16


def test_deeplabv2_dilates_whole_stages_unless_told() -> None:
    def dilations(settings: Net) -> list[list[int]]:
        with torch.device("meta"):
            body = build_backbone(settings).body
        return [[block.conv2.dilation[0] for block in layer[:3]] for layer in (body.layer2, body.layer3, body.layer4)]

    resnet = {"backbone": "resnet50", "pretrained": "none"}
    assert dilations(Net(head="deeplabv2", **resnet)) == [[1, 1, 1], [2, 2, 2], [4, 4, 4]]
    assert dilations(Net(head="deeplabv2", contract_dilation=True, **resnet)) == [[1, 1, 1], [1, 2, 2], [2, 4, 4]]
    assert dilations(Net(**resnet)) == [[1, 1, 1], [1, 1, 1], [1, 2, 2]]
    assert dilations(Net(contract_dilation=False, **resnet)) == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


def test_unknown_head_is_answered_with_the_names() -> None:
    names = ", ".join(HEADS)
    with pytest.raises(
        WsssError,
        match=f"'net.head' = 'deeplabv4': there is no such decode head, only {names}; did you mean 'deeplabv2'",
    ):
        resolve(Net, "net", {"head": "deeplabv4"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"aspp_rates": (6,)},
            "'segformer' has no option 'aspp_rates'\n  its .* dropout; --set net.aspp_rates=null",
        ),
        ({"head_args": {"embd": 64}}, "no option 'embd'; did you mean 'embed'"),
    ],
)
def test_option_that_the_head_has_not(settings: dict, message: str) -> None:
    with pytest.raises(WsssError, match=message):
        build_segmenter(net("segformer", **settings), 3)


def test_rates_are_positive() -> None:
    for rates in ([], [0, 1], [6, -12]):
        with pytest.raises(WsssError, match=r"net\.aspp_rates"):
            resolve(Net, "net", {"aspp_rates": rates})


def test_checkpoint_of_an_earlier_version_rebuilds() -> None:
    stored = {"backbone": "mobilenetv2_100", "output_stride": 16, "width": 64, "aspp_rates": [1, 2, 3]}
    model = build_segmenter(Net(**stored, pretrained="none"), 4)
    assert model.head.classifier.weight.shape == (4, 64, 1, 1)
