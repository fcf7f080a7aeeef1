"""DINOv2 as WeCLIP+ uses it: timm's own where that is the released one, and the positions where it is not."""

import pytest
import torch
import torch.nn.functional as F

from wsss_cli.errors import WsssError
from wsss_weclip.dino import Dino, resampled

TINY = {"img_size": 56, "embed_dim": 24, "depth": 2, "num_heads": 2}


def tiny(name: str) -> Dino:
    torch.manual_seed(0)
    return Dino(name, TINY).eval()


@pytest.mark.parametrize(("name", "prefix"), [("vit_small_patch14_dinov2", 1), ("vit_small_patch14_reg4_dinov2", 5)])
def test_at_its_own_size_it_is_timms(name: str, prefix: int) -> None:
    dino, images = tiny(name), torch.randn(2, 3, 56, 56)
    with torch.no_grad():
        expected = dino.body.forward_features(images)[:, prefix:]
    torch.testing.assert_close(dino(images).flatten(2).transpose(1, 2), expected)
    assert dino(torch.randn(1, 3, 96, 62)).shape == (1, 24, 6, 4)  # whole patches
    assert not any(p.requires_grad for p in dino.parameters())


def test_positions_between_its_cells() -> None:
    """A network without registers samples at a factor that is a tenth of a cell larger; with them timm's serves."""
    positions = torch.randn(1, 16, 8)
    assert resampled(positions, (4, 4), (4, 4)) is positions
    found = resampled(positions, (4, 4), (6, 5))
    assert found.shape == (1, 30, 8)
    maps = positions.transpose(1, 2).unflatten(2, (4, 4))
    plain = F.interpolate(maps, (6, 5), mode="bicubic", align_corners=False).flatten(2).transpose(1, 2)
    assert 1e-3 < (found - plain).abs().max() < 0.3


def test_what_is_no_dino() -> None:
    with pytest.raises(WsssError, match=r"'vit_tiny_patch16_224' is no DINOv2 of timm"):
        Dino("vit_tiny_patch16_224")
