"""Schedules against the rates that the released code used."""

from typing import Any

import numpy as np
import pytest

from reference_vectors import vectors
from wsss_cli.engine.schedules import poly, warmup_cosine, warmup_poly


@vectors("beco/poly_lr")
def test_poly_with_a_floor(ref: dict[str, Any]) -> None:
    ours = [ref["base"] * poly(int(k), ref["T"], floor=ref["min_lr"] / ref["base"]) for k in ref["iters"]]
    np.testing.assert_allclose(ours, ref["lr"], rtol=1e-5)


@vectors("bcm/poly_lr")
def test_poly_held_for_some_iterations(ref: dict[str, Any]) -> None:
    steps = range(len(ref["lr_used"]))
    ours = [poly(k, ref["iter_max"], ref["power"], every=ref["step_size"]) * ref["base"] for k in steps]
    np.testing.assert_allclose(ours, ref["lr_used"], rtol=1e-5, atol=1e-12)


@vectors("toco/lr_schedule")
def test_warm_up_then_poly(ref: dict[str, Any]) -> None:
    fixed = ref["max_iter"], ref["warmup_iter"], ref["warmup_ratio"], ref["power"]
    ours = [np.array([6e-5, 6e-4]) * warmup_poly(int(k), *fixed) for k in ref["step"]]
    np.testing.assert_allclose(ours, ref["lr_f64"], rtol=1e-6)  # the power is stored as float32


@vectors("puf/schedules")
def test_warm_up_then_cosine(ref: dict[str, Any]) -> None:
    ours = np.array([warmup_cosine(int(k), ref["max_iters"]) for k in ref["n_iter"]])
    np.testing.assert_allclose(6e-5 * ours, ref["lr_base6e5"], rtol=1e-5, atol=1e-10)
    np.testing.assert_allclose(6e-4 * ours, ref["lr_head6e4"], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("schedule", [poly, warmup_poly, warmup_cosine])
def test_past_the_end_the_rate_is_small_and_real(schedule: Any) -> None:
    assert 0 <= schedule(2000, 2000) == schedule(2100, 2000) < 2e-3
