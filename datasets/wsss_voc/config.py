"""The options of `wsss prepare voc`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wsss_cli.config import Config
from wsss_cli.places import Paths


class Options(Config):
    """Where VOC comes from, and which of its masks, lists and tags to use."""

    root: Path | None = Field(
        None, description="a devkit on disk: its folder VOC2012, or VOCdevkit above it; nothing is downloaded then"
    )
    archive: Paths = Field(
        (), description="an archive fetched by hand (VOC, SBD, SegmentationClassAug); may be given several times"
    )
    sbd: bool = Field(True, description="without --root: SBD's masks as well, for train_aug (10,582 images)")
    aug: Path | None = Field(
        None, description="ready-made SegmentationClassAug masks, a folder or an archive; SBD is not needed then"
    )
    tags: Path | None = Field(
        None, description="tags from a .npy as released with IRN, SEAM, ToCo (id -> 20 numbers), not from the XML"
    )
    masks: Literal["auto", "SegmentationClassAug", "SegmentationClass"] = Field(
        "auto",
        description="folder of the masks; auto: --aug, the mask column of the lists, SegmentationClassAug if there",
    )
    train: str = Field(
        "auto",
        description="list to learn from, its name or your own FILE.txt; auto: train_aug if there is one, else train",
    )
    val: str = Field("val", description="list to score on (VOC 2012: 1,449 images)")
    seeds: str = Field("train", description="list on which CAMs and pseudo-labels are scored (VOC 2012: 1,464 images)")
