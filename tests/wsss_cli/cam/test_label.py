"""CAM to label map by threshold."""

import torch

from wsss_cli.cam.label import strongest, threshold_label


def test_background_wins_ties_and_then_the_first_class() -> None:
    cam = torch.tensor([[[0.1, 0.15, 0.4, 0.2]], [[0.0, 0.15, 0.4, 0.3]]])  # (2, 1, 4)
    assert threshold_label(cam, torch.tensor([5, 9]), 0.15).tolist() == [[0, 0, 5, 9]]
    assert [x.tolist() for x in strongest(cam)[1]] == [[1, 1, 1, 2]]


def test_without_tags_all_is_background() -> None:
    assert threshold_label(torch.zeros(0, 2, 3), torch.zeros(0, dtype=torch.long), 0.15).tolist() == [[0] * 3] * 2
