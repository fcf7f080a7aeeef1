"""Fixtures that every test may use."""

from typing import Any

import pytest

from reference_vectors import load


@pytest.fixture
def ref(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The arrays of the reference vector that `@vectors(...)` parametrises."""
    return load(request.param)
