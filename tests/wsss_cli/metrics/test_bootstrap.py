"""The interval of a mean IoU: against draws made one by one, the same in any order, none where nothing is known."""

import pytest
import torch
from torch import Tensor

from wsss_cli.metrics.bootstrap import DRAWS, Bootstrap, draw, interval
from wsss_cli.metrics.confusion import scores_of


def tallies(n: int, right: float) -> dict[str, Tensor]:
    """Of n images of 100 pixels in two classes, about that share of them right."""
    generator = torch.Generator().manual_seed(n)
    found = {}
    for i in range(n):
        hits = (torch.rand(2, generator=generator) < right).long() * 40 + 10
        found[f"image{i}"] = torch.stack([hits, torch.tensor([50, 50]), 50 + hits - hits.flip(0)])
    return found


def of(images: dict[str, Tensor]) -> Bootstrap:
    draws = Bootstrap(3, 2)
    for identity, counts in images.items():
        draws.add(identity, counts)
    return draws


def test_an_image_is_drawn_once_on_the_mean() -> None:
    times = torch.stack([draw(f"image{i}") for i in range(200)]).double()  # (200, DRAWS)
    assert times.mean().item() == pytest.approx(1, abs=0.02) and times.var().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(draw("a"), draw("a")) and not torch.equal(draw("a"), draw("b"))


def test_it_is_that_of_draws_made_one_by_one() -> None:
    images = tallies(40, 0.7)
    mious = []
    for i in range(DRAWS):
        again = sum(int(draw(identity)[i]) * counts for identity, counts in images.items())
        mious.append(scores_of(again).miou)  # type: ignore[arg-type]
    low, high = interval(of(images).tallies, "union") or (0, 0)
    expected = torch.tensor(mious, dtype=torch.float64).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    assert [low, high] == expected.tolist()
    assert low < scores_of(sum(images.values())).miou < high  # type: ignore[arg-type]


def test_the_order_of_images_and_their_ranks_do_not_matter() -> None:
    images = tallies(20, 0.5)
    halves = [dict(list(images.items())[i::2]) for i in (1, 0)]
    assert torch.equal(of(images).tallies, of(halves[0]).tallies + of(halves[1]).tallies)


def test_more_images_know_it_better() -> None:
    widths = []
    for n in (10, 400):
        low, high = interval(of(tallies(n, 0.7)).tallies, "union") or (0, 0)
        widths.append(high - low)
    assert 0 < widths[1] < widths[0] / 4


def test_alike_images_leave_nothing_open() -> None:
    images = dict.fromkeys((f"image{i}" for i in range(20)), torch.tensor([[40, 40], [50, 50], [50, 50]]))
    low, high = interval(of(images).tallies, "union") or (0, 0)
    assert low == high == pytest.approx(40 / 60)


def test_where_there_is_none() -> None:
    assert interval(Bootstrap(60, 3, 2000).tallies[:, 0], "union") is None  # so many counts are not kept
    assert interval(torch.zeros(DRAWS, 3, 2), "union") is None
