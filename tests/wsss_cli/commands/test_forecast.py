"""The time of a plan, and what the stages that are done say of the others."""

import pytest

from wsss_cli.commands.forecast import START, Forecast, effort


def test_the_stages_that_are_done_correct_the_others() -> None:
    forecast = Forecast({"seeds": {"train": 57.0, "CAMs": 40.0}, "train": {"train": 97.0}, "evaluate": {}})
    assert forecast.of("seeds") == 97 + START and forecast.of("evaluate") == 0
    assert forecast.left == pytest.approx(200.0)
    forecast.done("seeds", 50.0)
    assert forecast.factor == 0.5 and forecast.left == pytest.approx(50.0)
    forecast.done("evaluate", 1000.0)  # of which nothing was estimated: it says nothing
    assert forecast.factor == 0.5
    forecast.done("train", 10_000.0)
    assert forecast.factor == 10.0 and forecast.left == 0.0


@pytest.mark.parametrize(
    ("total", "learning", "budget", "wanted"),
    [(100, 80, 120, 1.0), (100, 80, 60, 0.5), (100, 80, 10, 0.02), (100, 0, 10, 1.0), (100, 50, 75, 0.5)],
)
def test_trainings_are_shortened_to_fit_the_time(total: float, learning: float, budget: float, wanted: float) -> None:
    assert effort(total, learning, budget) == pytest.approx(wanted)


def test_a_stage_that_kept_parts_corrects_nothing() -> None:
    forecast = Forecast({"pseudo": {"walk": 297.0}, "train": {"train": 97.0}}, partly=frozenset({"pseudo"}))
    forecast.done("pseudo", 60.0)
    assert (forecast.factor, forecast.left) == (1.0, 100.0)
