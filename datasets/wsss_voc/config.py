"""The options of `wsss prepare voc`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wsss_cli.config import Config


class Options(Config):
    """Where the devkit is, and which of its masks and lists to use."""

    root: Path = Field(description="the folder VOC2012 of the devkit, or VOCdevkit above it")
    masks: Literal["auto", "SegmentationClassAug", "SegmentationClass"] = Field(
        "auto",
        description="folder of the masks; auto: the mask column of the lists, else SegmentationClassAug if it is there",
    )
    train: str = Field("auto", description="list to learn from; auto: train_aug if it is there, else train")
    val: str = Field("val", description="list to score on (VOC 2012: 1,449 images)")
    seeds: str = Field("train", description="list on which CAMs and pseudo-labels are scored (VOC 2012: 1,464 images)")
