"""Loss weights, temperatures and momenta of the shipped recipes against the released code's."""

from typing import Any

import numpy as np
import pytest

from reference_vectors import vectors
from wsss_cli.config import read_yaml, resolve
from wsss_cli.engine.adamw import factor
from wsss_cli.plugins import method
from wsss_puf.config import Distillation, Losses, Train
from wsss_puf.schedules import masks_uncertain, phase, teacher_momentum, teacher_temperature


def recipe(name: str) -> Train:
    return resolve(Train, "train", read_yaml(method("puf").recipe(name))["train"])


@vectors("puf/schedules")
def test_schedules_are_the_released_ones(ref: dict[str, Any]) -> None:
    config = recipe("coco" if ref["max_iters"] == 80000 else "voc")
    total = config.loop.iterations
    assert total == ref["max_iters"]
    d, rate = config.distillation, factor(config.optimiser, total)
    for i, k in enumerate(ref["n_iter"].tolist()):
        now = phase(k, config.losses, d)
        np.testing.assert_allclose(now[:3], ref["w_aff_seg_reg"][i], rtol=1e-6)
        assert now[3:] == (0.1, 0.1)
        assert masks_uncertain(k, total, config.masking.random_share) == bool(ref["mask_uncertain"][i])
        found = teacher_temperature(k, total, *d.teacher_temp, d.teacher_temp_share)
        np.testing.assert_allclose(found, ref["teacher_temp"][i], rtol=1e-6)
        found = 1 - teacher_momentum(k, total, d.momentum)
        np.testing.assert_allclose(found, ref["one_minus_ema_momentum"][i], rtol=1e-5, atol=1e-10)
        for base, name in ((6e-5, "lr_base6e5"), (6e-4, "lr_head6e4")):
            np.testing.assert_allclose(base * rate(k), ref[name][i], rtol=1e-5, atol=1e-11)


@pytest.mark.parametrize(("k", "distils"), [(2, True), (3, False)])
def test_self_distillation_may_end(k: int, distils: bool) -> None:
    assert phase(k, Losses(), Distillation(iterations=3)).distils == distils


@pytest.mark.parametrize("total", [1, 7, 8, 16])
def test_few_iterations_end_with_the_last_temperature(total: int) -> None:
    temps = [teacher_temperature(k, total) for k in range(total)]
    assert temps == sorted(temps) and temps[-1] == 0.07
