"""Label maps of a run, drawn: pieces of three classes with holes and ignored pixels."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.export.labels import export, form_of
from wsss_cli.export.source import Source, find_source

CLASSES = ("cat", "Hündin <&>", 'a "bar"')
IDS = ("a/one", "a/two", "b/drei ü", "empty")
SIZES = ((48, 33), (31, 50), (1, 7), (20, 20))  # width, height


def drawn_source(tmp_path: Path) -> Source:
    """Four images of split train, of which the last is background only; a fifth has no label map."""
    rng = np.random.default_rng(3)
    samples = []
    for id, (width, height) in zip((*IDS, "without"), (*SIZES, (5, 5))):
        image = tmp_path / "raw" / f"{id}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (height, width, 3)).astype(np.uint8)).save(image)
        samples.append(Sample(id, image, width, height, (1,), splits=("train",)))
        values = ndimage.gaussian_filter(rng.random((height, width)), 1)
        labels = np.digitize(values, np.quantile(values, [0.4, 0.6, 0.8])).astype(np.uint8)  # 0..3
        labels[rng.random((height, width)) < 0.05] = 255
        if id != "without":
            write_labels(tmp_path / "labels" / f"{id}.png", labels * np.uint8(id != "empty"))
    splits = {"train": "train", "val": "val", "seeds": "train"}
    info = DatasetInfo("toy", "toy", CLASSES, splits, "drawn")
    found, lacking = find_source(Prepared(tmp_path, info, tuple(samples)), "train", tmp_path / "labels", "drawn")
    assert lacking == 1
    return found


def write_export(source: Source, out: Path, name: str, images: Any = None, **asked: Any) -> Path:
    """The folder `out`; asked: shape, min_area, tolerance."""
    form = form_of(name, asked.get("shape"), asked.get("min_area"), asked.get("tolerance"))
    export(source, out, name, form, images, lambda n=1, note="": None)
    return out


def without_ignored(source: Source, sample: Sample) -> NDArray[np.integer]:
    """The label map (H, W) with its ignored pixels as background."""
    labels = source.labels(sample)
    return np.where(labels == 255, 0, labels)
