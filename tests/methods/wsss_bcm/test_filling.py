"""Filling rates: measured, kept, read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from wsss_bcm.filling import measure, official_rates, read_rates, write_rates
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError


@vectors("bcm/recon_filling_rates")
def test_measured(ref: dict[str, Any]) -> None:
    boxes = ref["boxes"].tolist()
    images = [(labels, [Box(*box) for image, *box in boxes if image == i]) for i, labels in enumerate(ref["labels"])]
    found = measure(images, len(ref["count"]))
    np.testing.assert_allclose(found.per_box, ref["fr_mean_per_box"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.pooled, ref["fr_pooled"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found.boxes, ref["count"])


def test_kept_by_class_name(tmp_path: Path) -> None:
    labels = np.zeros((10, 10), np.uint8)
    labels[:5, :4] = 2
    write_rates(tmp_path / "r.json", measure([(labels, [Box(2, 0, 0, 5, 10)])], 3), ("a", "b", "c"))
    assert read_rates(tmp_path / "r.json", ("a", "b", "c")).tolist() == [1.0, 0.4, 1.0]
    assert json.loads((tmp_path / "r.json").read_text())["boxes"] == {"b": 1}
    (tmp_path / "own.json").write_text('{"c": 0.25}')
    assert read_rates(tmp_path / "own.json", ("a", "b", "c")).tolist() == [1.0, 1.0, 0.25]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"dgo": 0.5}', "unknown class 'dgo'; did you mean 'dog'"),
        ('{"dog": 1.5}', "the rate of 'dog' is 1.5"),
        ("[1]", "holds no filling rates"),
        ("{", "holds no filling rates"),
    ],
)
def test_files_that_hold_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(WsssError, match=f"r.json.*{message}"):
        read_rates(tmp_path / "r.json", ("cat", "dog"))


def test_released_constants_are_vocs() -> None:
    rates = official_rates(20)
    assert rates.shape == (20,) and rates.dtype == torch.float64 and 0.34 < rates[0] < 0.35 and rates[19] > 0.58
    with pytest.raises(WsssError, match="VOC's 20 classes, the data set has 6"):
        official_rates(6)


@vectors("bcm/fr_labels")
def test_released_constants(ref: dict[str, Any]) -> None:
    np.testing.assert_array_equal(official_rates(20), ref["class_fr"])
