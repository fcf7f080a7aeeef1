"""Calibration by hand."""

from typing import Any

import pytest
import torch

from wsss_cli.metrics.calibration import calibration, expected_error


def test_expected_error_by_hand() -> None:
    """10 pixels at 0.9 of which 5 are right, 30 at 0.5 of which 15 are: 10 / 40 * 0.4."""
    assert expected_error(torch.tensor([[10.0, 0, 30], [9, 0, 15], [5, 0, 15]])) == pytest.approx(0.1)


def test_images_add_up() -> None:
    rows: list[dict[str, Any]] = [
        {"bins": [[2, 0], [0.5, 0], [1, 0]]},
        {"bins": [[2, 4], [0.7, 4], [1, 2]]},
        {"certainty": 0.5},
    ]
    found = calibration(rows)
    assert found is not None and found["ece"] == pytest.approx((4 * abs(0.5 - 0.3) + 4 * 0.5) / 8)
    assert found["bins"][0] == {"pixels": 4, "confidence": pytest.approx(0.3), "accuracy": 0.5}
    assert calibration(rows[2:]) is None and calibration([]) is None
