"""Reference vectors: one test per file `<folder>/<what>_<case>.npz`, of tests/reference or of WSSS_REFERENCE=DIR."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COMMITTED = Path(__file__).parent / "reference"
ROOT = Path(os.environ.get("WSSS_REFERENCE") or COMMITTED)


def vectors(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run the test once for each file of `what` ("beco/irn_make_cam"), its arrays given as `ref`, a dict by name.

    The test's id is `<what>_<case>`; a case is one word without an underscore.
    Raises FileNotFoundError at collection if the committed folder holds no file of `what`.
    """
    folder, stem = what.split("/")
    if not any((COMMITTED / folder).glob(f"{stem}_*.npz")):
        raise FileNotFoundError(f"no reference vector tests/reference/{what}_*.npz")
    files = [f for f in sorted((ROOT / folder).glob(f"{stem}_*.npz")) if re.fullmatch(rf"{stem}_[^_]+", f.stem)]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        cases = [pytest.param(f, id=f"{folder}/{f.stem}") for f in files]
        return pytest.mark.reference(pytest.mark.parametrize("ref", cases, indirect=True)(test))

    return decorate


def load(path: Path) -> dict[str, Any]:
    """Every array of the file; 0-d arrays as Python numbers or strings."""
    with np.load(path, allow_pickle=False) as file:
        return {k: file[k].item() if file[k].ndim == 0 else file[k] for k in file.files}
