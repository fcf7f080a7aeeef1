"""Every decode head on every kind of backbone: two steps, export and reload, sizes, settings, messages."""

from pathlib import Path

import pytest
import torch

from wsss_cli.config import as_dict, resolve
from wsss_cli.errors import WsssError
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_backbone, build_head, build_segmenter
from wsss_cli.nets.heads.outputs import training_losses
from wsss_cli.nets.heads.table import HEADS
from wsss_cli.nets.segmenter import Segmenter

OURS = tuple(name for name, decoder in HEADS.items() if not decoder.mmseg)
ZOO = tuple(name for name in HEADS if name not in OURS)
ASPP: dict[str, object] = {"width": 32, "aspp_rates": (1, 2)}
SMALL = {
    "deeplabv3plus": ASPP,
    "deeplabv2": {"aspp_rates": (1, 2)},
    "segformer": {"width": 32},
    "deeplabv3": ASPP,
    "deeplabv3plus_mmseg": ASPP,
    "psanet": {"head_args": {"mask_size": (9, 9)}},
    "encnet": {"head_args": {"codes": 4}},
    "danet": {"head_args": {"pam_width": 4}},
    "ann": {"head_args": {"inner": 8}},
    "ocrnet": {"head_args": {"inner": 8, "coarse_width": 8}},
    "semfpn": {"head_args": {"neck_width": 8}},
    "pointrend": {"head_args": {"coarse_width": 8, "neck_width": 8, "points": 64, "test_points": 64}},
    "emanet": {"head_args": {"inner": 16, "num_bases": 4}},
    "fastscnn": {"backbone": "fastscnn"},
    "cgnet": {"backbone": "cgnet", "width": None, "backbone_args": {"blocks": (2, 2), "widths": (8, 16, 32)}},
}
FINE = {"deeplabv3plus": 4, "segformer": 4, "deeplabv3plus_mmseg": 4, "fcn_hr": 4, "upernet": 4, "semfpn": 4}
"""The stride of the logits, where it is not the backbone's."""


def net(head: str, backbone: str = "mobilenetv2_100", **settings: object) -> Net:
    usual = {"width": 16} if head in ZOO else {}
    return Net(**{"head": head, "backbone": backbone, "pretrained": "none"} | usual | SMALL.get(head, {}) | settings)


def losses_of(model: Segmenter, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)  # of dropout and of PointRend's points: what changes is what was learnt
    return training_losses(model(images, outputs=True), labels, cross_entropy)


@pytest.mark.parametrize(
    ("head", "backbone"),
    [*((head, name) for head in OURS for name in ("mobilenetv2_100", "mit_b0")), *((h, "test_resnet") for h in ZOO)],
)
def test_two_steps_then_export_and_reload(tmp_path: Path, head: str, backbone: str) -> None:
    torch.manual_seed(0)
    settings = net(head, backbone)
    model = build_segmenter(settings, 5).train()
    images, labels = torch.randn(2, 3, 64, 96), torch.randint(5, (2, 64, 96), dtype=torch.uint8)
    labels[:, :3] = 255
    optimizer, totals = torch.optim.SGD(model.parameters(), lr=0.02), []
    for _ in range(2):
        losses = losses_of(model, images, labels)
        optimizer.zero_grad()
        sum(losses.values()).backward()  # type: ignore[union-attr]
        optimizer.step()
        totals.append(sum(loss.item() for loss in losses.values()))
    assert totals[1] < totals[0]
    heads = [*model.head.named_parameters(), *model.auxiliary.named_parameters()]
    assert not [k for k, p in heads if p.requires_grad and p.grad is None]
    torch.save({"net": as_dict(settings), "model": model.state_dict()}, tmp_path / "checkpoint.pt")

    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    again = build_segmenter(Net(**content["net"]), 5)
    again.load_state_dict(content["model"])
    with torch.no_grad():
        logits = model.eval()(images)
        assert torch.equal(again.eval()(images), logits)
    stride = 1 if head == "pointrend" else FINE.get(head, model.backbone.strides[-1])
    assert logits.shape == (2, 5, 64 // stride, 96 // stride)


@pytest.mark.parametrize("head", HEADS)
def test_mixed_precision(head: str) -> None:
    """Losses are float32 and those of full precision, but for the rounding; gradients come."""
    torch.manual_seed(0)
    model = build_segmenter(net(head, "test_resnet"), 5).train()
    images, labels = torch.randn(2, 3, 64, 64), torch.randint(5, (2, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        full = losses_of(model, images, labels)
    with torch.autocast("cpu", torch.bfloat16):
        losses = losses_of(model, images, labels)
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert list(losses) == list(full)
    torch.testing.assert_close(list(losses.values()), list(full.values()), rtol=0.05, atol=0.01)


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        ("deeplabv3plus", {"main": 1.0}),
        ("pspnet", {"main": 1.0, "auxiliary": 0.4}),
        ("danet", {"main": 1.0, "pixels": 1.0, "channels": 1.0, "auxiliary": 0.4}),
        ("encnet", {"main": 1.0, "presence": 0.2, "auxiliary": 0.4}),
        ("ocrnet", {"main": 1.0, "coarse": 0.4}),
        ("pointrend", {"main": 1.0, "points": 1.0}),
        ("fastscnn", {"main": 1.0, "auxiliary1": 0.4, "auxiliary2": 0.4}),
    ],
)
def test_what_each_head_learns_by(head: str, outputs: dict[str, float]) -> None:
    with torch.device("meta"):
        model = build_segmenter(net(head, "test_resnet"), 5)
        found = model(torch.zeros(2, 3, 64, 64), outputs=True)
    assert {name: output.weight for name, output in found.items()} == outputs


def test_auxiliary_head_as_set() -> None:
    def heads(head: str, **settings: object) -> tuple[int, float]:
        with torch.device("meta"):
            model = build_segmenter(net(head, "test_resnet", **settings), 5)
        return len(model.auxiliary), model.auxiliary_weight

    assert heads("deeplabv3plus") == (0, 0.4)
    assert heads("deeplabv3plus", auxiliary=0.2) == (1, 0.2)
    assert heads("pspnet", auxiliary=0.7) == (1, 0.7)
    assert heads("pspnet", auxiliary=0.0)[0] == 0
    assert heads("fastscnn", auxiliary=0.7) == (2, 0.7)


@pytest.mark.parametrize("name", ["mobilenetv2_100", "resnet18", "convnext_atto", "mit_b0"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_any_backbone_stride_and_size(name: str, stride: int) -> None:
    args = {"pad_type": "same"} if name == "mobilenetv2_100" else {}
    height, width = (32, 64) if name == "convnext_atto" else (33, 49)
    images = torch.randn(1, 3, height, width)
    backbone = build_backbone(net("segformer", name, output_stride=stride, backbone_args=args)).eval()
    assert backbone.strides[-1] == stride
    for head in OURS:
        check_sizes(Segmenter(backbone, build_head(net(head, name), backbone, 3)).eval(), head, images)


@pytest.mark.parametrize("stride", [8, 32])
def test_any_stride_and_size_of_the_zoo(stride: int) -> None:
    backbone = build_backbone(net("pspnet", "test_resnet", output_stride=stride)).eval()
    for head in ZOO:
        settings = net(head).model_copy(update={"backbone": "test_resnet"})
        check_sizes(Segmenter(backbone, build_head(settings, backbone, 3)).eval(), head, torch.randn(1, 3, 33, 49))


def check_sizes(model: Segmenter, head: str, images: torch.Tensor) -> None:
    with torch.no_grad():
        logits, embeddings = model(images), model.embeddings(images)
    height, width = images.shape[2:]
    stride = model.backbone.strides[-1]
    step = 4 if head == "pointrend" or (head == "ocrnet" and stride == 32) else FINE.get(head, stride)
    if head == "pointrend":
        logits = logits[..., ::4, ::4]  # two doublings
    assert logits.shape == (1, 3, (height - 1) // step + 1, (width - 1) // step + 1)
    assert embeddings.shape[2:] == logits.shape[2:]
    if head != "pointrend":
        assert torch.equal(model.head.classify(embeddings), logits)


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
        match=f"'net.head' = 'deeplabv4': there is no such decode head, only {names}; did you mean 'deeplabv3' or",
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


def test_what_freezes_does_not_learn_and_the_rest_does() -> None:
    model = build_segmenter(net("deeplabv3plus", freeze=4), 3)
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    model(torch.randn(2, 3, 64, 64)).sum().backward()
    assert frozen
    assert all((p.grad is None) == (name in frozen) for name, p in model.named_parameters())
    assert all(name.startswith("backbone.") for name in frozen)


def test_a_stride_that_no_level_has_is_refused() -> None:
    with pytest.raises(WsssError, match="no level of stride 5"):
        build_backbone(net("deeplabv3plus", freeze=5))
