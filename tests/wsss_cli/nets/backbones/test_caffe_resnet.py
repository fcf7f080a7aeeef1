"""The Caffe ResNet and DeepLabV2-MSC against the released code, and weights to start from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from key_lists import constant, keys
from reference_vectors import vectors
from wsss_cli.batches.transforms import CAFFE_MEAN, normalise
from wsss_cli.engine import segment
from wsss_cli.nets.backbones.caffe_resnet import CaffeResNet, stage, stem
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.deeplabv2 import SummedConvs
from wsss_cli.nets.heads.outputs import Map
from wsss_cli.nets.multi_scale import MultiScale
from wsss_cli.nets.segmenter import Segmenter
from wsss_cli.nets.weights.names.caffe import CAFFE_BLOCK, to_caffe_resnet
from wsss_cli.nets.weights.pretrained import load_pretrained

KEYS = {k: v for k, v in keys("bcm/bcm_state_dict").items() if ".bcm." not in k}
"""Of a DeepLabV2-MSC of deeplab-pytorch."""

WEIGHTS = [k for k in KEYS if "num_batches" not in k]
NET = Net(backbone="resnet101_caffe", head="deeplabv2", pretrained="none")


@vectors("bcm/backbone")
def test_stages_are_the_released_ones(ref: dict[str, Any]) -> None:
    state = {k.removeprefix("w."): torch.from_numpy(v) for k, v in ref.items() if k.startswith("w.")}
    x = torch.from_numpy(ref["x"])
    for n, (stride, dilation) in enumerate(((0, 0), (1, 1), (2, 1), (1, 2)), 1):
        weights = {k.removeprefix(f"layer{n}."): v for k, v in state.items() if k.startswith(f"layer{n}.")}
        width = ref[f"layer{n}"].shape[1]
        blocks = len({k.partition(".")[0] for k in weights})
        layer = stem(width) if n == 1 else stage(blocks, x.shape[1], width, stride, dilation)
        missing, unexpected = layer.load_state_dict(weights, strict=False)
        assert not unexpected and all(k.endswith("num_batches_tracked") for k in missing)
        x = layer.eval()(x)
        np.testing.assert_allclose(x.detach(), ref[f"layer{n}"], rtol=0, atol=1e-5)


@vectors("bcm/aspp")
def test_aspp_is_the_released_one(ref: dict[str, Any]) -> None:
    names = [f"c{i}" for i in range(4)]
    num_outputs, channels = ref["c0.weight"].shape[:2]
    aspp = SummedConvs(channels, num_outputs, (6, 12, 18, 24))
    parts = {
        f"convs.{i}.{p}": torch.from_numpy(ref[f"{n}.{p}"]) for i, n in enumerate(names) for p in ("weight", "bias")
    }
    aspp.load_state_dict(parts)
    x = torch.from_numpy(ref["x"])
    np.testing.assert_allclose(aspp(x).detach(), ref["y"], rtol=0, atol=1e-5)
    mask = torch.nn.functional.conv2d(x, torch.from_numpy(ref["bcm.weight"]), torch.from_numpy(ref["bcm.bias"]))
    np.testing.assert_allclose(mask, ref["bcm"], rtol=0, atol=1e-5)


def test_images_become_what_caffe_saw() -> None:
    images = torch.randint(0, 256, (2, 8, 9, 3), dtype=torch.uint8)
    bgr = images.flip(3).permute(0, 3, 1, 2) - torch.tensor(CAFFE_MEAN).flip(0).view(3, 1, 1)
    body: Any = CaffeResNet((1, 1, 1, 1))
    torch.testing.assert_close(body.caffe_images(normalise(images)), bgr, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("stride", "side", "sides"),
    [
        (8, 65, (17, 9, 9, 9)),
        (8, 64, (17, 9, 9, 9)),
        (8, 97, (25, 13, 13, 13)),
        (16, 65, (17, 9, 5, 5)),
        (32, 65, (17, 9, 5, 3)),
    ],
)
def test_maps_of_each_output_stride(stride: int, side: int, sides: tuple[int, ...]) -> None:
    """Rounded up, as Caffe's max-pool does."""
    with torch.device("meta"):
        body = CaffeResNet((1, 1, 1, 1), stride)
        levels = body(torch.empty(1, 3, side, side))
    assert [tuple(x.shape[1:3]) for x in levels] == list(zip((256, 512, 1024, 2048), sides))
    assert body.feature_info.reduction()[-1] == stride


@pytest.fixture(scope="module")
def net() -> Segmenter:
    return build_segmenter(NET, 21)


def torchvision_name(key: str) -> str:
    """A backbone key of deeplab-pytorch -> torchvision's, under which OpenMMLab keeps the Caffe weights."""
    if key.startswith("layer1."):
        return key.removeprefix("layer1.").replace("conv1.conv", "conv1").replace("conv1.bn", "bn1")
    layer, block, rest = key.split(".", 2)
    theirs = next(t + rest.removeprefix(o) for t, o in CAFFE_BLOCK if rest.startswith(o))
    return f"layer{int(layer[5:]) - 1}.{int(block[5:]) - 1}.{theirs}"


@pytest.mark.parametrize("kind", ["coco", "torchvision"])
def test_weights_to_start_from(tmp_path: Path, net: Segmenter, kind: str) -> None:
    body = {k.removeprefix("base."): v for k, v in constant(KEYS).items() if ".aspp." not in k}
    if kind == "coco":  # deeplabv1_resnet101-coco.pth: no "base.", a classifier of 91 classes
        state = body | {"fc.weight": torch.ones(91, 2048, 1, 1), "fc.bias": torch.ones(91)}
    else:
        state = {torchvision_name(k): v for k, v in body.items()}
    torch.save(state, tmp_path / "w.pth")
    found = load_pretrained(net.backbone, str(tmp_path / "w.pth"))
    assert found is not None and len(found.matched) == len(WEIGHTS) - 8
    own = net.backbone.body.state_dict()
    assert all(torch.equal(own[k], v) for k, v in body.items())
    assert to_caffe_resnet(state).keys() == {*body, *("fc.weight", "fc.bias")[: 2 * (kind == "coco")]}


class Plain(nn.Conv2d):
    """A convolution that names its output."""

    def forward(self, images: Tensor, outputs: bool = False) -> Any:
        logits = super().forward(images)
        return {"main": Map(logits)} if outputs else logits


def test_the_plain_step_learns_from_every_scale() -> None:
    torch.manual_seed(0)
    net = segment.with_scales(Plain(3, 4, 3, padding=1), (0.5,))
    assert isinstance(net, MultiScale)
    batch = {"image": torch.randn(1, 3, 16, 16), "label": torch.randint(0, 4, (1, 16, 16), dtype=torch.uint8)}
    losses = segment._step(net, batch, 0)
    assert list(losses) == ["cross_entropy", "scale_1", "scale_0.5"]
    assert net(batch["image"]).shape == (1, 4, 16, 16)
    assert list(segment._step(segment.with_scales(net.net, ()), batch, 0)) == ["cross_entropy"]
