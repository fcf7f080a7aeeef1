"""SegFormer's head against the official order of operations, and its size."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.heads.segformer import SegFormer

CHANNELS = (8, 12, 20, 28)


def released(state: dict[str, Tensor], levels: list[Tensor], training: bool) -> Tensor:
    """The head as released: embed every level, enlarge it, join [c4, c3, c2, c1], fuse, normalise, classify."""
    parts = []
    for i in (4, 3, 2, 1):
        x = levels[i - 1]
        tokens = x.flatten(2).transpose(1, 2)  # (B, h * w, C)
        tokens = tokens @ state[f"linear_c{i}.proj.weight"].T + state[f"linear_c{i}.proj.bias"]
        maps = tokens.transpose(1, 2).reshape(x.shape[0], -1, *x.shape[2:])
        parts.append(F.interpolate(maps, levels[0].shape[2:], mode="bilinear", align_corners=False))
    x = F.conv2d(torch.cat(parts, 1), state["linear_fuse.0.weight"])
    mean, var = state["linear_fuse.1.running_mean"], state["linear_fuse.1.running_var"]
    x = F.batch_norm(x, mean, var, state["linear_fuse.1.weight"], state["linear_fuse.1.bias"], training, 0.1)
    return F.conv2d(x.relu(), state["classifier.weight"], state["classifier.bias"])


@pytest.mark.parametrize("training", [False, True])
def test_equals_the_released_order(training: bool) -> None:
    torch.manual_seed(0)
    head = SegFormer(CHANNELS, (4, 8, 16, 32), 5, width=6, embed=16, dropout=0.0).train(training)
    for p in (*head.parameters(), head.linear_fuse[1].running_mean):
        torch.nn.init.normal_(p)
    levels = [torch.randn(2, c, -(-65 // s), -(-97 // s)) for c, s in zip(CHANNELS, (4, 8, 16, 32))]
    state = {
        k: v.clone().requires_grad_(v.dtype == torch.float32 and "running" not in k)
        for k, v in head.state_dict().items()
    }
    theirs, ours = released(state, levels, training), head(levels)
    assert theirs.shape == (2, 5, 17, 25)
    assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)
    towards = torch.randn_like(theirs)
    (theirs * towards).sum().backward()
    (ours * towards).sum().backward()
    for key, p in head.named_parameters():
        theirs_grad = state[key].grad
        assert theirs_grad is not None
        assert (p.grad - theirs_grad).abs().max() <= 1e-4 * theirs_grad.abs().max() + 1e-4, key
    assert torch.allclose(head.linear_fuse[1].running_mean, state["linear_fuse.1.running_mean"], atol=1e-5)


def test_parameters_of_becos_and_the_papers_network() -> None:
    with torch.device("meta"):
        beco = build_segmenter(Net(head="segformer", backbone="mit_b2", pretrained="none"), 21)
        paper = Net(head="segformer", backbone="mit_b2", pretrained="none", width=768)
        segformer_b2 = build_segmenter(paper, 150)
        small = paper.model_copy(update={"backbone": "mit_b0", "width": 256, "head_args": {"embed": 256}})
        segformer_b0 = build_segmenter(small, 150)
    fuse = 4 * 768 * 256 + 2 * 256
    embed = sum(768 * (c + 1) for c in (64, 128, 320, 512))
    assert sum(p.numel() for p in beco.head.parameters()) == embed + fuse + 21 * 257
    assert sum(p.numel() for p in segformer_b2.parameters()) / 1e6 == pytest.approx(27.5, abs=0.05)  # table 1
    assert sum(p.numel() for p in segformer_b0.parameters()) / 1e6 == pytest.approx(3.8, abs=0.1)  # table 1


def test_needs_stride_4() -> None:
    with pytest.raises(WsssError, match="segformer needs a level of stride 4"):
        SegFormer((8, 16), (8, 16), 2)
