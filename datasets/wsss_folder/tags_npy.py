"""Tags from a .npy file as released methods have them: a dict of image -> vector of zeros and ones, one per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.data.npy import read_npy_dict
from wsss_cli.errors import WsssError
from wsss_folder.one_hot import from_vectors, is_share
from wsss_folder.record import Source


def read_npy(path: Path, classes: tuple[str, ...], least: float = 0.0) -> Source:
    """The tags of each image; place k of a vector is class k of `classes`.

    least  the confidence from which a class counts as there
    Raises WsssError: no classes, no dict, a vector of another length or of other values.
    """
    if not classes:
        raise WsssError(f"{path} holds vectors, which name no class", "name them in their order: --classes cat,dog")
    rows = read_npy_dict(path)
    if not rows:
        raise WsssError(f"{path} holds the tags of no image", "give another file with --tags")
    read = [
        (_name(key), f"{path}, key {_name(key)!r}", _vector(_name(key), row, path, classes))
        for key, row in rows.items()
    ]
    return from_vectors("tags .npy", path, read, classes, least)


def _name(key: Any) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def _vector(key: str, row: Any, path: Path, classes: tuple[str, ...]) -> dict[str, float]:
    try:
        vector = np.asarray(row, dtype=np.float64)  # (C,)
    except (TypeError, ValueError):
        vector = np.zeros(0)
    if vector.ndim != 1 or not vector.size or not all(map(is_share, vector.tolist())):
        raise WsssError(f"{path}: the tags of '{key}' are no vector of zeros and ones", "correct them")
    if len(vector) != len(classes):
        raise WsssError(
            f"{path}: the tags of '{key}' are {len(vector)} numbers, but --classes names {len(classes)}",
            "name one class for each number, without background",
        )
    return dict(zip(classes, vector.tolist(), strict=True))
