"""Classes that a classifier of images leaves out."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from wsss_cli.nets.gate import Gated, gated


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


def test_each_view_is_asked_for_itself() -> None:
    """Here of two classes the first is there where the image is bright."""
    bright = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, bias=False))
    nn.init.constant_(bright[2].weight[0], 1.0)  # type: ignore[arg-type]
    nn.init.constant_(bright[2].weight[1], -1.0)  # type: ignore[arg-type]
    net = Gated(nn.Conv2d(3, 3, 1), bright, 0.5).eval()
    images = torch.stack([torch.full((3, 4, 4), 1.0), torch.full((3, 4, 4), -1.0)])
    with torch.no_grad():
        plain, found = net.net(images), net(images)
    assert torch.equal(found[0, :2], plain[0, :2]) and (found[0, 2] == -1e4).all()
    assert torch.equal(found[1, ::2], plain[1, ::2]) and (found[1, 1] == -1e4).all()
