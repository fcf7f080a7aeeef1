"""How sure a network is, counted while it predicts: by hand, and over attempts and ranks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_cli.data.certainty import gather_notes, note, read_certainties
from wsss_cli.engine.certainty import BINS, certainty

SCORES = torch.tensor([[[0.95, 0.55, 0.3, 0.05]], [[0.05, 0.45, 0.7, 0.95]]])  # (2, 1, 4)


def test_the_largest_score_of_each_pixel_counts() -> None:
    row = certainty(SCORES, np.array([[0, 1, 1, 255]], np.uint8))
    assert row["certainty"] == pytest.approx((0.95 + 0.55 + 0.7 + 0.95) / 4)
    pixels, scores, right = np.array(row["bins"])
    at = [int(score * BINS) for score in (0.55, 0.7, 0.95)]
    assert pixels.sum() == 3 and pixels[at].tolist() == [1, 1, 1]  # what is ignored is not counted
    np.testing.assert_allclose(scores[at], [0.55, 0.7, 0.95], atol=1e-3)
    assert right[at].tolist() == [0, 1, 1]


def test_full_certainty_is_in_the_last_bin() -> None:
    row = certainty(torch.tensor([[[1.0]], [[0.0]]]), np.array([[0]], np.uint8))
    assert row["bins"][0][-1] == 1 and row["bins"][2][-1] == 1


def test_without_a_mask_there_is_nothing_to_be_right_about() -> None:
    assert certainty(SCORES, None) == {"certainty": 0.7875, "peaks": [0.95]}


def test_of_many_classes_65535_is_ignored() -> None:
    scores = torch.zeros(300, 1, 2)
    scores[7] = 0.9
    assert sum(certainty(scores, np.array([[7, 65535]], np.int32))["bins"][0]) == 1


def test_lines_of_ranks_and_attempts_become_one_file(tmp_path: Path) -> None:
    note(tmp_path, 1, "b", {"certainty": 0.5})
    gather_notes(tmp_path)
    note(tmp_path, 0, "c", {"certainty": 0.25})
    note(tmp_path, 2, "a", {"certainty": 0.75})
    with (tmp_path / "certainty-2.jsonl").open("a") as file:
        file.write('{"id": "d", "cert')
    gather_notes(tmp_path)
    gather_notes(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["certainty.jsonl"]
    assert {id: row["certainty"] for id, row in read_certainties(tmp_path).items()} == {"a": 0.75, "b": 0.5, "c": 0.25}
    note(tmp_path, 0, "a", {"certainty": 0.1})
    assert read_certainties(tmp_path)["a"]["certainty"] == 0.1
