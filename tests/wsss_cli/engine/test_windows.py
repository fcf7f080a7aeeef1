"""Windows: where they lie, and that their mean is what each alone gives."""

import pytest
import torch
from torch import Tensor, nn

from wsss_cli.engine.infer import Infer, predict
from wsss_cli.engine.windows import slide, starts, windowed


@pytest.mark.parametrize(
    ("length", "expected"),
    [(300, [0]), (512, [0]), (513, [0, 1]), (992, [0, 480]), (993, [0, 480, 481]), (1195, [0, 480, 683])],
)
def test_the_last_window_is_moved_back(length: int, expected: list[int]) -> None:
    assert starts(length, 512, 480) == expected


class Strided(nn.Module):
    """Logits at stride 4 that depend on the whole window."""

    def forward(self, x: Tensor) -> Tensor:
        pooled = nn.functional.avg_pool2d(x, 4, ceil_mode=True)
        return torch.cat([pooled, pooled.mean((2, 3), keepdim=True).expand_as(pooled)], 1)


def test_overlaps_are_averaged() -> None:
    images, net = torch.randn(2, 3, 24, 50), Strided()
    found = slide(net, images, 20, 16)
    total, count = torch.zeros(2, 6, 24, 50), torch.zeros(24, 50)
    for y in (0, 4):
        for x in (0, 16, 30):
            logits = net(images[:, :, y : y + 20, x : x + 20])
            total[:, :, y : y + 20, x : x + 20] += nn.functional.interpolate(logits, (20, 20), mode="bilinear")
            count[y : y + 20, x : x + 20] += 1
    torch.testing.assert_close(found, total / count)


def test_small_images_are_seen_whole() -> None:
    images, net = torch.randn(1, 3, 16, 16), Strided()
    whole = nn.functional.interpolate(net(images), (16, 16), mode="bilinear")
    torch.testing.assert_close(slide(net, images, 64, 32), whole)
    assert windowed(net, None) is net


def test_scales_of_the_short_side() -> None:
    """An image of 40 x 60 at short side 20 is shown at 20 x 30; a long one at no more than 4 times the short side."""
    seen = []

    def net(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[2:]))
        return x[:, :2]

    for size in ((40, 60), (10, 80)):
        predict(net, torch.zeros(1, *size, 3, dtype=torch.uint8), Infer(scales=(1.0, 1.5), short_side=20), size)
    assert seen == [(20, 30), (30, 45), (10, 80), (15, 120)]
