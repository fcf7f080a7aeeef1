"""The learning rate against mmcv's formula."""

import pytest

from wsss_ppmg.schedules import poly_to


def test_poly_to_a_floor_does_not_stay_there() -> None:
    """mmcv's: (0.005 - 0.0001) (1 - k / T)^0.9 + 0.0001."""
    found = [0.005 * poly_to(k, 100, floor=0.02) for k in (0, 50, 99, 100)]
    expected = [0.005, 0.0049 * 0.5**0.9 + 1e-4, 0.0049 * 0.01**0.9 + 1e-4, 1e-4]
    assert found == pytest.approx(expected)


def test_past_the_end_the_rate_is_the_floor() -> None:
    assert poly_to(2000, 2000) == poly_to(2100, 2000) == 0
