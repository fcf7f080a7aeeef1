"""Official checkpoints of deeplab-pytorch, with every key accounted for."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from key_lists import constant, keys
from wsss_bcm.checkpoint import load_official
from wsss_cli.errors import WsssError
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.segmenter import Segmenter

KEYS = {k: v for k, v in keys("bcm/bcm_state_dict").items() if ".bcm." not in k}
"""Of a DeepLabV2-MSC."""

WEIGHTS = [k for k in KEYS if "num_batches" not in k]


@pytest.fixture(scope="module")
def net() -> Segmenter:
    return build_segmenter(Net(backbone="resnet101_caffe", head="deeplabv2", pretrained="none"), 21)


def test_a_checkpoint_of_deeplab_pytorch(tmp_path: Path, caplog: pytest.LogCaptureFixture, net: Segmenter) -> None:
    state, path = constant(KEYS), tmp_path / "deeplabv2_resnet101_msc-vocaug-20000.pth"
    torch.save({f"module.{k}": v for k, v in state.items()}, path)  # as DataParallel saves it
    with caplog.at_level(logging.INFO, logger="wsss"):
        found = load_official(net, path)
    assert f"all {len(WEIGHTS)} tensors loaded" in caplog.text
    own = net.state_dict()
    assert len(own) == len(KEYS) == 632 and len(found.matched) == len(WEIGHTS) and not found.unused
    for key, value in state.items():
        name = key.removeprefix("base.").replace("aspp.c", "head.classifier.convs.")
        assert torch.equal(own[name if name.startswith("head") else f"backbone.body.{name}"], value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {k.removeprefix("base."): v for k, v in s.items()}, "not only 'base.'.*\n.*net.pretrained=FILE"),
        (
            lambda s: {k: v for k, v in s.items() if k != WEIGHTS[3]},
            f"{len(WEIGHTS) - 1} of {len(WEIGHTS)} tensors match",
        ),
        (lambda s: s | {"base.aspp.bcm.bias": torch.ones(21)}, "aspp.bcm.bias' has no place in it"),
    ],
)
def test_refused(tmp_path: Path, net: Segmenter, change: Any, message: str) -> None:
    torch.save(change(constant(KEYS)), tmp_path / "w.pth")
    with pytest.raises(WsssError, match=message):
        load_official(net, tmp_path / "w.pth")
