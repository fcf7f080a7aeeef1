"""A tiny data set of shapes and the recipe beside it."""

import pytest

from processes import Wsss
from tiny_irn import RECIPE
from tiny_shapes import shapes_and_recipe


@pytest.fixture(scope="module")
def wsss(tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    return shapes_and_recipe(tmp_path_factory.mktemp("irn"), RECIPE)
