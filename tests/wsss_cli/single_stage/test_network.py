"""The network of the single-stage methods: classes that its own tags leave out."""

import pytest
import torch

from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.single_stage.network import Segmentation, SingleStage


@pytest.fixture
def net() -> SingleStage:
    torch.manual_seed(0)
    args = {"embed_dim": 48, "depth": 4, "num_heads": 2, "img_size": 64}
    return SingleStage(ViT("vit_tiny_patch16_224", args), LargeFov(48, 4, width=8), 3).eval()


def test_the_gate_asks_the_classifier(net: SingleStage) -> None:
    """Whose tags a training pass gives, too."""
    images = torch.randn(3, 3, 64, 48)
    with torch.no_grad():
        out = net(images)
        probable = out.tags.sigmoid()
        gate = float(probable.flatten().sort().values[4:6].mean())  # some classes are below it, some above
        found = Segmentation(net, gate)(images)
        for logits, plain, one in zip(found, out.logits, probable):
            torch.testing.assert_close(logits[0], plain[0])
            for c in range(3):
                torch.testing.assert_close(logits[c + 1], plain[c + 1] if one[c] >= gate else plain[0] * 0 - 1e4)
        torch.testing.assert_close(Segmentation(net)(images), out.logits, rtol=0, atol=0)
