"""The options of `wsss prepare coco`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import Config
from wsss_cli.data.coco_entries import Crowd

Paint = Literal["order", "larger_first"]


class Options(Config):
    """Where the annotations and images are, and how class ids and masks are made of them."""

    root: Path | None = Field(
        None, description="folder of annotations/, train2014/ and val2014/; the four options below name others"
    )
    year: int = Field(
        2014,
        ge=1900,
        le=9999,
        description="year in the names of those folders and files (2014: the split of the papers)",
    )
    train_json: Path | None = Field(None, description="instances JSON to learn from")
    val_json: Path | None = Field(None, description="instances JSON to score on")
    train_images: Path | None = Field(None, description="folder of the images of --train-json")
    val_images: Path | None = Field(None, description="folder of the images of --val-json")
    classes: Literal["rank", "91"] = Field(
        "rank",
        description="rank: ids 1..C in the order of the category ids (COCO: 80); 91: the category ids themselves, as "
        "PMM's 91-channel networks have them",
    )
    paint: Paint = Field(
        "order",
        description="which object is on top: order: the later annotation (BECO's masks); larger_first: the smaller "
        "(coco2voc's masks)",
    )
    crowd: Crowd = Field(
        "auto",
        description="pixels of crowds: skip: left as they are (BECO's masks); ignore: 255; paint: objects as any other "
        "(coco2voc's masks), with boxes; auto: skip, but paint where every object is marked as one",
    )
    unlabelled: Literal["keep", "skip", "empty"] = Field(
        "keep",
        description="images without annotations: keep them in train_all and val_all without a mask, skip them, or take "
        "them for empty: all background (BECO's val_all)",
    )
    max_megapixels: float = Field(
        bounds.MEGAPIXELS,
        gt=0,
        le=1e6,
        description="millions of pixels that an image may have; more are taken for a mistake",
    )
    masks: bool = Field(True, description="make masks; without them nothing can be scored")
    train: Literal["train", "train_all"] = Field(
        "train",
        description="split to learn from; train: images with tags (COCO 2014: 82,081 of 82,783)",
    )
    val: Literal["val", "val_all", "val_part"] = Field(
        "val",
        description="split to score on; val: images with tags (COCO 2014: 40,137 of 40,504, as in ToCo)",
    )
    val_part: int = Field(
        5000, ge=1, le=bounds.COUNT, description="images of the split val_part, the first of val (ToCo: 5,000)"
    )
