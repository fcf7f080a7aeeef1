"""The archive that the PASCAL VOC 2012 evaluation server takes for the segmentation competitions."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from wsss_cli.checks.finding import some
from wsss_cli.console import Tick
from wsss_cli.data.images import read_bytes
from wsss_cli.data.labels import decode_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import absent, each

Competition = Literal["comp5", "comp6"]
CLASSES = 20
TEST_IMAGES = 1456


def require_archive_name(path: Path) -> None:
    """Raises WsssError if the server would not know the file for what it is."""
    if not path.name.endswith((".tgz", ".tar.gz")):
        raise WsssError(f"{path} is to be a gzipped tar archive", "call it FILE.tgz or FILE.tar.gz")


def write_submission(path: Path, samples: Sequence[Sample], folder: Path, competition: Competition, tick: Tick) -> None:
    """Pack `folder/<id>.png` of every sample as results/VOC2012/Segmentation/<competition>_test_cls/<id>.png.

    The same predictions give the same bytes.  Raises WsssError, and writes nothing, if a prediction is missing, not of
    its image's size, or holds anything but 0..20.
    """
    require_archive_name(path)
    missing = [name.removesuffix(".png") for name in absent(folder, each(samples, ".png"))]
    if missing:
        what = f"{len(missing)} of {len(samples)} images have no prediction in {folder}: {some(missing)}"
        raise WsssError(what, "run the command again with --force")
    inside = f"results/VOC2012/Segmentation/{competition}_test_cls"
    pngs = ParallelMap(lambda sample: checked_png(folder / f"{sample.id}.png", sample), samples)
    with (
        writing(path) as aside,
        aside.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,  # without name or time
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for sample, data in zip(samples, pngs):
            member = tarfile.TarInfo(f"{inside}/{sample.id}.png")  # of 1970 and of nobody
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            tick(1)


def checked_png(path: Path, sample: Sample) -> bytes:
    """The bytes of a prediction that the server will take.  Raises WsssError."""
    data, sample = read_bytes(path), sample.full
    labels = decode_labels(data, path)  # (H, W)
    if labels.shape != (sample.height, sample.width):
        what = f"{path} is {labels.shape[1]} x {labels.shape[0]}, its image {sample.width} x {sample.height}"
        raise WsssError(what, "predict at the images' own size: run the command again with --force")
    wrong = np.unique(labels[labels > CLASSES])
    if len(wrong):
        what = f"{path} holds class ids {some([str(i) for i in wrong])}, not in 0..{CLASSES}"
        raise WsssError(what, "the VOC server takes predictions of its 20 classes only, without ignored pixels")
    return data
