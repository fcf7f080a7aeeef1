"""Settings of scores."""

from wsss_cli.metrics.evaluate import Evaluate


def test_thresholds_are_tried_in_order_each_once() -> None:
    """The sweep adds up from one to the next: out of order it gave another mean."""
    assert Evaluate(thresholds=(0.3, 0.1, 0.3)).thresholds == (0.1, 0.3)
