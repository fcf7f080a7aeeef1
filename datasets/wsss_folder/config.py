"""The options of `wsss prepare folder`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import Config
from wsss_cli.data.coco_entries import Crowd
from wsss_cli.places import Paths


class Options(Config):
    """Where the images are and what is known of them; without any source, what lies in and beside them is used."""

    images: Path = Field(description="folder of the images, or the one above images/; folders in it are searched too")

    tags: Paths = Field(
        (),
        description="CSV or JSON: image and tags, a 0/1 column per class, boxes or run lengths; VOC's lists; a .npy",
    )
    image_column: str = Field("auto", description="column of the CSV that names the image; auto: image, file_name, ...")
    tags_column: str = Field(
        "auto", description="column of the CSV that holds the tags; auto: tags, labels, class, ..."
    )
    separator: str = Field("auto", description="what stands between tags in a cell: ; | , space, or none")
    min_confidence: float = Field(0.0, ge=0, le=1, description="tags of a lower confidence in the CSV are none")
    rle_order: Literal["auto", "columns", "rows"] = Field(
        "auto", description="how run lengths in a CSV count pixels; auto: down the columns (Kaggle's EncodedPixels)"
    )
    class_folders: bool | None = Field(None, description="the folders in --images are the classes: IMAGES/CLASS/...")
    tags_in_names: bool = Field(
        False, description="the names of the images end in a 0 or 1 for each class: a-[1, 0, 1].png; found by itself"
    )
    defects: Literal["no", "kinds", "one"] = Field(
        "no", description="good/ and other folders, or MVTec's layout: each kind of defect a class, or one for all"
    )
    coco: Paths = Field((), description="COCO JSON: boxes and tags")
    crowd: Crowd = Field(
        "auto",
        description="crowds of a COCO JSON in masks: ignore: 255; skip: left out; paint: objects as any other; auto: "
        "ignore, but paint where every object is marked as one",
    )
    yolo: Path | None = Field(None, description="folder of YOLO .txt labels")
    names: Path | None = Field(None, description="class names of YOLO: classes.txt or data.yaml; found if near")
    xml: Path | None = Field(None, description="folder of Pascal VOC .xml annotations, or one such file")
    label_studio: Paths = Field((), description="JSON, JSON-MIN, CSV or TSV export of Label Studio")
    cvat: Paths = Field((), description="XML export 'CVAT for images 1.1'")
    labelme: Path | None = Field(None, description="folder of labelme's .json files, or one such file")
    supervisely: Path | None = Field(None, description="folder of a project of Supervisely: DATASET/img, DATASET/ann")
    geojson: Path | None = Field(
        None, description="folder of .geojson files, or one: in pixels (QuPath), or of the map on which GeoTIFFs lie"
    )
    via: Paths = Field((), description="JSON, CSV or project of the VGG Image Annotator, version 2 or 3")
    via_attribute: str = Field("auto", description="attribute of VIA's regions that holds the class")

    white_level: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="of images of more than 8 bits, the value shown as white; of 16 bits by default the largest one of "
        "8, 10, 12, 14 or 16 bits, whichever hold all values of the data set",
    )
    black_level: float = Field(0.0, ge=-1e9, le=1e9, description="and the one shown as black")
    pages: Literal["refuse", "first"] = Field("refuse", description="files of several pages or frames: take the first")

    max_megapixels: float = Field(
        bounds.MEGAPIXELS,
        gt=0,
        le=1e6,
        description="millions of pixels that an image may have; more are taken for a mistake",
    )

    masks: Path | None = Field(None, description="folder of masks for some images: for scores, not for learning")
    mask_values: str = Field("auto", description="0=background,128=tumour,255=ignore; colours #ff0000=name; or a file")
    tags_from_masks: bool = Field(False, description="take tags from the masks too: no longer weak supervision")
    masks_from_shapes: bool = Field(False, description="draw masks from the outlines and brushes of a source")

    classes: str = Field(
        "auto", description="names in the order of their ids: a,b,c or a file; auto: the source's, or sorted"
    )
    unlabelled: Literal["keep", "skip", "empty"] = Field(
        "keep",
        description="images that nobody has annotated: keep them without tags and mask, skip them, or take them for "
        "empty: of no class",
    )

    split_file: Paths = Field(
        (), description="train.txt, val.txt, ..., a CSV with image and split columns, or a prepared data set's folder"
    )
    val: float | None = Field(
        None, gt=0, lt=1, description="share of images to score on; if nothing gives splits 0.2, of masks at least 30"
    )
    val_from: Literal["auto", "all", "masked"] = Field(
        "auto", description="which images --val draws from; auto: those with a mask, if any has one"
    )
    seed: int = Field(0, ge=0, le=bounds.SEED, description="another seed, another draw of --val")
    group_by: str = Field(
        "none",
        description="keep together in --val: folder, or a regex on the path (slide, patient); none: images are apart",
    )
