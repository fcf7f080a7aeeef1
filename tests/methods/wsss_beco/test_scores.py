"""The figure of the released training against it."""

from typing import Any

import pytest
import torch

from reference_vectors import vectors
from wsss_beco.scores import training_miou


@vectors("beco/metrics")
def test_training_miou(ref: dict[str, Any]) -> None:
    assert training_miou(torch.as_tensor(ref["hist"])) == pytest.approx(ref["miou_eps"], abs=1e-5)
