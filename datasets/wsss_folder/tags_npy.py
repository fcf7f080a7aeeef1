"""Tags from a .npy file as released methods have them: a dict of image -> vector of zeros and ones, one per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.data.npy import read_npy_dict
from wsss_cli.errors import WsssError
from wsss_folder.record import Record, Source


def read_npy(path: Path, classes: tuple[str, ...]) -> Source:
    """The tags of each image; place k of a vector is class k of `classes`.

    Raises WsssError: no classes, no dict, a vector of another length or of other values.
    """
    if not classes:
        raise WsssError(f"{path} holds vectors, which name no class", "name them in their order: --classes cat,dog")
    rows = read_npy_dict(path)
    if not rows:
        raise WsssError(f"{path} holds the tags of no image", "give another file with --tags")
    records = [
        Record((str(key),), f"{path}, key {str(key)!r}", _tags(key, row, path, classes)) for key, row in rows.items()
    ]
    return Source("tags .npy", path, records, classes)


def _tags(key: Any, row: Any, path: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    try:
        vector = np.asarray(row, dtype=np.float64)  # (C,)
    except (TypeError, ValueError):
        vector = np.zeros(0)
    if vector.ndim != 1 or not vector.size or not np.isin(vector, (0, 1)).all():
        raise WsssError(f"{path}: the tags of '{key}' are no vector of zeros and ones", "correct them")
    if len(vector) != len(classes):
        raise WsssError(
            f"{path}: the tags of '{key}' are {len(vector)} numbers, but --classes names {len(classes)}",
            "name one class for each number, without background",
        )
    return tuple(name for name, there in zip(classes, vector, strict=True) if there)
