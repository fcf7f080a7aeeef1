"""How each kind of output is judged, and the points that PointRend learns at."""

import pytest
import torch

from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.heads.outputs import Map, Points, Presence, classes_in, labels_at, training_losses
from wsss_cli.nets.heads.point import draw_points, least_sure


@pytest.mark.parametrize(("dtype", "ignore"), [(torch.uint8, 255), (torch.int32, 65535)])
def test_labels_at_points(dtype: torch.dtype, ignore: int) -> None:
    labels = torch.tensor([[[0, 1, 2], [3, ignore, 5]]], dtype=dtype)  # 2 rows, 3 columns
    points = torch.tensor([[[1 / 6, 1 / 4], [5 / 6, 1 / 4], [1 / 2, 3 / 4], [0.99, 0.99], [0.3, 0.6]]])
    found = labels_at(labels, points)
    assert found.dtype == dtype and found.tolist() == [[0, 2, ignore, 5, 3]]


@pytest.mark.parametrize(("dtype", "ignore"), [(torch.uint8, 255), (torch.int32, 65535)])
def test_classes_in_images(dtype: torch.dtype, ignore: int) -> None:
    labels = torch.tensor([[[0, 0], [3, ignore]], [[ignore, ignore], [ignore, ignore]]], dtype=dtype)
    assert classes_in(labels, 4).tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]


def test_each_output_has_its_own_loss() -> None:
    torch.manual_seed(0)
    labels = torch.randint(3, (2, 8, 8), dtype=torch.uint8)
    labels[0, 0] = 255
    logits, points = torch.randn(2, 3, 8, 8), torch.rand(2, 20, 2)
    at_points = torch.stack([logits[:, :, 4, 4]] * 20, 2)  # (B, K, P)
    outputs = {
        "main": Map(logits),
        "points": Points(at_points, points, 0.5),
        "presence": Presence(logits[..., 0, 0], 0.2),
    }
    losses = training_losses(outputs, labels, cross_entropy)
    whole = torch.nn.functional.cross_entropy
    assert losses["main"] == pytest.approx(whole(logits, labels.long(), ignore_index=255).item())
    sampled = whole(at_points, labels_at(labels, points).long(), ignore_index=255)
    assert losses["points"] == pytest.approx(0.5 * sampled.item())
    present = torch.nn.functional.binary_cross_entropy_with_logits(logits[..., 0, 0], classes_in(labels, 3))
    assert losses["presence"] == pytest.approx(0.2 * present.item())


def test_any_loss_on_pixels_judges_maps_and_points() -> None:
    seen = []

    def count(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        seen.append((tuple(logits.shape), tuple(labels.shape)))
        return logits.sum() * 0 + 1

    outputs = {"main": Map(torch.zeros(2, 3, 4, 4)), "points": Points(torch.zeros(2, 3, 5), torch.rand(2, 5, 2), 0.4)}
    losses = training_losses(outputs, torch.zeros(2, 8, 8, dtype=torch.uint8), count)
    assert seen == [((2, 3, 4, 4), (2, 8, 8)), ((2, 3, 5, 1), (2, 5, 1))]
    assert [loss.item() for loss in losses.values()] == pytest.approx([1.0, 0.4])


def test_points_are_drawn_where_the_prediction_is_unsure() -> None:
    """Two classes that change places at x = 1/2, where the logits are equal."""
    torch.manual_seed(0)
    slope = torch.linspace(-1, 1, 32).expand(1, 1, 16, 32)
    points = draw_points(torch.cat((slope, -slope), 1), count=40, oversample=3, sure_share=0.25)
    assert points.shape == (1, 40, 2) and points.min() >= 0 and points.max() < 1
    distance = (points[0, :, 0] - 0.5).abs()
    assert distance[:30].max() < 0.25 < distance[30:].max()  # the nearest 30 of 120; 10 anywhere


def test_least_sure_pixels_and_their_centres() -> None:
    logits = torch.zeros(1, 2, 2, 3)
    logits[0, 0] = torch.tensor([[3.0, 2.0, 5.0], [4.0, 0.5, 6.0]])
    cells, centres = least_sure(logits, 2)
    assert cells.tolist() == [[4, 1]]
    torch.testing.assert_close(centres, torch.tensor([[[1 / 2, 3 / 4], [1 / 2, 1 / 4]]]))
    assert least_sure(logits, 100)[0].shape == (1, 6)
