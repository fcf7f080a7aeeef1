"""A tiny WeCLIP: settings that run every stage in seconds."""

from typing import Any

import pytest

from processes import Wsss
from tiny_shapes import shapes_and_recipe
from tiny_weclip import TRAIN, save_clip


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    recipe: dict[str, Any] = {"train": TRAIN, "infer": {"long_side": 64, "scales": [1.0, 0.75]}}
    folder = tmp_path_factory.mktemp("weclip")
    save_clip(folder / "clip.pt")
    return shapes_and_recipe(folder, recipe)
