"""The network of the single-stage methods: classes that its own tags leave out."""

import pytest
import torch
import torch.nn.functional as F

from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.single_stage.network import Segmentation, SingleStage, gated


@pytest.fixture
def net() -> SingleStage:
    torch.manual_seed(0)
    args = {"embed_dim": 48, "depth": 4, "num_heads": 2, "img_size": 64}
    return SingleStage(ViT("vit_tiny_patch16_224", args), LargeFov(48, 4, width=8), 3).eval()


def test_no_class_wins_whose_tag_is_improbable() -> None:
    """Of the images of a batch each by its own tags; a tag at the very gate stays, and so does the background."""
    logits = torch.tensor([[0.0, 3, 2, 1], [0, 3, 2, 1]])[..., None, None].expand(2, 4, 3, 5)
    tags = torch.tensor([[-1.0, 0, 1], [-1, -2, -3]])
    won = gated(logits, tags, 0.5).argmax(1)
    assert (won[0] == 2).all() and (won[1] == 0).all()
    assert torch.equal(gated(logits, tags, 0.01), logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_scores_stay_finite_when_enlarged(dtype: torch.dtype) -> None:
    maps = gated(torch.randn(1, 4, 3, 3, dtype=dtype), torch.full((1, 3), -9.0, dtype=dtype), 0.5)
    large = F.interpolate(maps.float(), (9, 7), mode="bilinear")
    assert torch.equal(large.softmax(1)[:, 0], torch.ones(1, 9, 7))


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
