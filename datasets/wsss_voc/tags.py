"""Tags from the .npy files that came with released code: a dict of image id -> vector of 20 zeros and ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.data.npy import read_npy_dict
from wsss_cli.errors import WsssError
from wsss_voc.classes import CLASSES


def read_tags(path: Path) -> dict[str, tuple[int, ...]]:
    """Image id -> class ids 1..20.

    The keys are '2007_000032' (SEAM, ToCo) or the number 2007000032 (IRN).
    Raises WsssError naming the file and the key: no dict, a key or vector of another form.
    """
    rows = read_npy_dict(path)
    if not rows:
        raise WsssError(f"{path} holds the tags of no image", "give another file with --tags")
    return {image_id(key, path): _class_ids(key, row, path) for key, row in rows.items()}


def image_id(key: Any, path: Path) -> str:
    """2007000032 -> '2007_000032'; text stays.  Raises WsssError naming the file `path`."""
    if isinstance(key, str):
        return str(key)
    if isinstance(key, int | np.integer) and str(key).isdigit() and len(str(key)) == 10:
        return f"{str(key)[:4]}_{str(key)[4:]}"
    raise WsssError(f"{path}: the key {key!r} is no image id", "keys are '2007_000032' or 2007000032")


def _class_ids(key: Any, row: Any, path: Path) -> tuple[int, ...]:
    try:
        vector = np.asarray(row, dtype=np.float64)  # (20,)
    except (TypeError, ValueError):
        vector = np.zeros(0)
    if vector.shape != (len(CLASSES),) or not np.isin(vector, (0, 1)).all():
        raise WsssError(f"{path}: the tags of {key!r} are not {len(CLASSES)} zeros and ones", "correct them")
    return tuple(int(i) + 1 for i in np.flatnonzero(vector))
