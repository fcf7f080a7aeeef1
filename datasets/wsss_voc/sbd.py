"""SBD, the masks of 11,355 VOC images by Hariharan et al. (ICCV 2011): from MATLAB files to SegmentationClassAug.

dataset/cls/<id>.mat holds the struct GTcls, whose field Segmentation is the label map (H, W), 0 background, 1..20, no
255. dataset/train.txt and val.txt name 8,498 and 2,857 ids. Where VOC has a mask of its own it is kept: finer, and with
255 along the outlines.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from wsss_cli.console import track
from wsss_cli.data.labels import write_labels
from wsss_cli.errors import WsssError
from wsss_cli.names import require_path
from wsss_cli.parallel.ordered import ParallelMap
from wsss_voc.classes import CLASSES

SPLITS = ("train.txt", "val.txt")


def read_mask(path: Path) -> NDArray[np.uint8]:
    """The label map (H, W) of one cls/<id>.mat.  Raises WsssError naming the file."""
    if not path.is_file():
        raise WsssError(f"{path.name} of SBD is missing, but its list names it", "fetch benchmark.tgz again")
    try:
        labels = np.asarray(loadmat(path, variable_names=["GTcls"])["GTcls"]["Segmentation"][0, 0])
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise WsssError(f"{path.name} of SBD is damaged or holds no GTcls.Segmentation: {text}", _AGAIN) from error
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or not labels.size:
        raise WsssError(
            f"{path.name} of SBD: GTcls.Segmentation is {labels.dtype} {labels.shape}, no label map", _AGAIN
        )
    if labels.min() < 0 or labels.max() > len(CLASSES):
        raise WsssError(f"{path.name} of SBD holds class ids outside 0..{len(CLASSES)}", _AGAIN)
    return labels.astype(np.uint8)


_AGAIN = "fetch benchmark.tgz again, or leave SBD out with --no-sbd"


def sbd_ids(folder: Path) -> list[str]:
    """The ids on SBD's own lists, or without lists those of its files."""
    lists = [folder / name for name in SPLITS if (folder / name).is_file()]
    if not lists:
        return sorted(path.stem for path in (folder / "cls").glob("*.mat"))
    named = {id: path.name for path in lists for id in path.read_text(encoding="utf-8").split()}
    return sorted(require_path(id, f"{path} of SBD: the id", _AGAIN) for id, path in named.items())


def build_masks(voc: Path, sbd: Path, into: Path) -> dict[str, WsssError]:
    """Fill SegmentationClassAug: VOC's masks as they are, SBD's for the other images, as palette PNGs; on all cores.

    voc  SegmentationClass; sbd  SBD's folder `dataset`; into  a new folder
    Returns what is wrong with each image whose mask could not be made.
    """
    into.mkdir()
    finer = sorted(voc.glob("*.png"))
    for path in finer:
        shutil.copyfile(path, into / path.name)
    rest = sorted(set(sbd_ids(sbd)) - {path.stem for path in finer})
    bad: dict[str, WsssError] = {}
    with track("SBD's masks to PNG", len(rest)) as tick:
        for id, error in zip(rest, _convert_all(rest, sbd, into), strict=True):
            if error is not None:
                bad[id] = error
            tick()
    return bad


def _convert_all(ids: list[str], sbd: Path, into: Path) -> Iterable[WsssError | None]:
    return ParallelMap(partial(_convert, sbd=sbd, into=into), ids)


def _convert(id: str, sbd: Path, into: Path) -> WsssError | None:
    try:
        labels = read_mask(sbd / "cls" / f"{id}.mat")
    except WsssError as error:
        return error
    write_labels(into / f"{id}.png", labels)
    return None
