"""VOC and SBD as they are published: what the archives are called, where they lie, and what is taken from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wsss_cli.downloads.archive import names
from wsss_cli.downloads.download import Remote
from wsss_cli.errors import WsssError

VOC = Remote(
    "VOCtrainval_11-May-2012.tar",
    (
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
        "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
    ),
    "md5:6cd6e144f989b92b3379bac3b3de84fd",
)
SBD = Remote(
    "benchmark.tgz",
    (
        "http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz",
    ),
    "md5:82b4d87ceb2ed10f6038a1cba92111cb",
)

TAKEN = {"JPEGImages": ".jpg", "Annotations": ".xml", "SegmentationClass": ".png", "SegmentationClassAug": ".png"}


def place(name: str) -> str | None:
    """Where a member of an archive goes in the devkit, SBD's under sbd/; None if it is not needed.

    VOCdevkit/VOC2012/JPEGImages/<id>.jpg and so on, whatever stands above; benchmark_RELEASE/dataset/cls/<id>.mat.
    """
    *above, parent, file = ("", "", *name.split("/"))
    if file.startswith(".") or "__MACOSX" in above:  # what macOS adds to archives
        return None
    suffix = Path(file).suffix
    if suffix and TAKEN.get(parent) == suffix:
        return f"{parent}/{file}"
    if (above[-1], parent, suffix) == ("ImageSets", "Segmentation", ".txt"):
        return f"ImageSets/Segmentation/{file}"
    if (above[-1], parent, suffix) == ("dataset", "cls", ".mat"):
        return f"sbd/cls/{file}"
    if parent == "dataset" and file in ("train.txt", "val.txt"):
        return f"sbd/{file}"
    return None


def place_mask(name: str) -> str | None:
    """As `place`, for an archive of masks alone, which need not lie in a folder SegmentationClassAug."""
    *above, file = name.split("/")
    hidden = file.startswith(".") or "__MACOSX" in above
    return file if file.endswith(".png") and not hidden else None


def contents(archive: Path) -> set[str]:
    """What an archive holds: some of "voc", "sbd", "aug".  Raises WsssError if it holds none of them."""
    found: set[str] = set()
    for target in filter(None, map(place, names(archive))):
        found.add({"sbd": "sbd", "SegmentationClassAug": "aug"}.get(target.split("/")[0], "voc"))
        if "sbd" in found:  # which holds nothing else, and would have to be decompressed to its end to make sure
            break
    if not found:
        raise WsssError(
            f"{archive} holds neither VOC nor SBD nor SegmentationClassAug",
            f"give {VOC.name} or {SBD.name} with --archive",
        )
    return found


def describe(archives: Iterable[tuple[Path, str]]) -> str:
    """The archives with their digests, and whether these are the published ones."""
    published = {VOC.digest, SBD.digest}
    parts = [f"{path.name} ({digest}{', as published' if digest in published else ''})" for path, digest in archives]
    return "archives " + ", ".join(parts)
