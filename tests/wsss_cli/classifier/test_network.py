import pytest
import torch
from torch import nn

from wsss_cli.classifier.config import Network
from wsss_cli.classifier.network import build


@pytest.mark.parametrize("dilate", [False, True])
def test_the_last_stage_keeps_its_resolution_dilated_or_not(dilate: bool) -> None:
    net = build(Network(backbone="resnet18", pretrained="none", dilate=dilate), 3)
    dilated = [m for m in net.modules() if isinstance(m, nn.Conv2d) and max(m.dilation) > 1]
    assert bool(dilated) is dilate
    assert net.cams(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 4, 4)
