"""A VOC devkit on disk becomes a prepared data set; whatever is wrong with it is told by file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from prepared_data import prepare
from tiny_voc import SIZE, tiny_voc, write_annotation, write_list
from wsss_cli.checks.dataset import Finding
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import Box, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_voc import DATASET
from wsss_voc.annotation import to_half_open


@pytest.fixture
def devkit(tmp_path: Path) -> Path:
    return tiny_voc(tmp_path)


def run(tmp_path: Path, devkit: Path, say: list[Finding] | None = None, **options: Any) -> Prepared:
    config = DATASET.config_class()(root=devkit, **options)
    return prepare(DATASET, config, "tiny", tmp_path / "data", say=None if say is None else say.append)


def sample(prepared: Prepared, id: str) -> Sample:
    return next(s for s in prepared.samples if s.id == id)


def ids(prepared: Prepared, split: str) -> list[str]:
    return sorted(s.id for s in prepared.split(split))


def assert_refused(tmp_path: Path, devkit: Path, says: str, **options: Any) -> WsssError:
    with pytest.raises(WsssError, match=says) as caught:
        run(tmp_path, devkit, **options)
    assert caught.value.remedy
    assert not list(tmp_path.glob("data/*")) and not list(tmp_path.glob("data/.*"))
    return caught.value


def test_tags_boxes_masks_and_splits(tmp_path: Path, devkit: Path) -> None:
    prepared = run(tmp_path, devkit)
    assert prepared.info.splits == {"train": "train_aug", "val": "val", "seeds": "train"}
    assert ids(prepared, "train") == ["img_0", "img_1"]
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert prepared.info.masks == "SegmentationClassAug" and prepared.num_classes == 20
    one = sample(prepared, "img_1")
    assert (one.width, one.height) == SIZE and one.tags == (12,)
    assert one.boxes == (Box(12, 8, 6, 24, 18),)
    assert one.mask is not None
    inside = read_labels(one.mask)[6:18, 8:24]
    assert inside.shape == (12, 16) and (inside == 12).all()


@pytest.mark.parametrize("above", [0, 1, 2])
def test_the_folder_above_will_do(tmp_path: Path, devkit: Path, above: int) -> None:
    assert len(run(tmp_path, [devkit, *devkit.parents][above]).samples) == 6


def test_what_is_missing_of_a_devkit_is_listed(tmp_path: Path, devkit: Path) -> None:
    (devkit / "Annotations").rename(devkit / "annotations_")
    assert_refused(tmp_path, devkit.parent, "VOC2012 is no VOC devkit: it has no Annotations")
    assert_refused(tmp_path, tmp_path / "nowhere", "no folder .*nowhere")


def test_masks_of_choice(tmp_path: Path, devkit: Path) -> None:
    assert run(tmp_path, devkit, masks="SegmentationClass").info.masks == "SegmentationClass"


def test_without_aug_masks_and_list(tmp_path: Path) -> None:
    devkit = tiny_voc(tmp_path, masks=["SegmentationClass"])
    (devkit / "ImageSets/Segmentation/train_aug.txt").unlink()
    prepared = run(tmp_path, devkit)
    assert prepared.info.masks == "SegmentationClass" and prepared.info.splits["train"] == "train"
    assert len(prepared.samples) == 4


def test_train_aug_is_made_of_the_masks(tmp_path: Path, devkit: Path) -> None:
    (devkit / "ImageSets/Segmentation/train_aug.txt").unlink()
    said: list[Finding] = []
    prepared = run(tmp_path, devkit, said)
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert prepared.info.splits["train"] == "train_aug"
    assert said[0].what.startswith("list 'train_aug' made: the 4 images with a mask in SegmentationClassAug")


def test_an_image_may_have_no_mask(tmp_path: Path, devkit: Path) -> None:
    (devkit / "SegmentationClassAug" / "img_3.png").unlink()
    assert sample(run(tmp_path, devkit), "img_3").mask is None


def test_no_masks_at_all(tmp_path: Path) -> None:
    assert_refused(tmp_path, tiny_voc(tmp_path, masks=[]), "no folder SegmentationClassAug or SegmentationClass")


def test_lists_with_two_columns(tmp_path: Path, devkit: Path) -> None:
    for split in ("train", "train_aug", "val"):
        path = devkit / "ImageSets" / "Segmentation" / f"{split}.txt"
        rows = [f"/JPEGImages/{id}.jpg /SegmentationClass/{id}.png" for id in path.read_text().split()]
        write_list(devkit, split, rows)
    prepared = run(tmp_path, devkit)
    assert prepared.info.masks == "SegmentationClass"
    assert ids(prepared, "val") == ["img_4", "img_5"]


def test_a_list_that_is_not_understood(tmp_path: Path, devkit: Path) -> None:
    write_list(devkit, "val", ["img_4 -1"])
    assert_refused(tmp_path, devkit, r"val\.txt, line 1: 'img_4 -1' is neither an id nor")
    write_list(devkit, "val", ["img_4", "", "img_5", "img_4"])
    assert_refused(tmp_path, devkit, r"val\.txt, line 4: 'img_4' is on the list twice")


def test_lists_of_ones_own(tmp_path: Path, devkit: Path) -> None:
    """Beside the devkit's; one of a published name takes its place, and is not counted as VOC's."""
    few, val = tmp_path / "few.txt", tmp_path / "val.txt"
    few.write_text("img_0\nimg_2\n")
    val.write_text("img_5\n")
    said: list[Finding] = []
    prepared = run(tmp_path, devkit, said, train=str(few), val=str(val))
    assert prepared.info.splits == {"train": "few", "val": "val", "seeds": "train"}
    assert (ids(prepared, "few"), ids(prepared, "val")) == (["img_0", "img_2"], ["img_5"])
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert "images on VOC's lists: train 2 of 1,464, train_aug 4 of 10,582" in [finding.what for finding in said]


def test_an_own_val_lets_no_image_of_vocs_into_train_aug(tmp_path: Path, devkit: Path) -> None:
    (devkit / "ImageSets/Segmentation/train_aug.txt").unlink()
    val = tmp_path / "val.txt"
    val.write_text("img_5\n")
    assert ids(run(tmp_path, devkit, val=str(val)), "train_aug") == ["img_0", "img_1", "img_2", "img_3"]


def test_lists_of_ones_own_that_cannot_be(tmp_path: Path, devkit: Path) -> None:
    assert_refused(tmp_path, devkit, r"none\.txt cannot be read", train=str(tmp_path / "none.txt"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "few.txt").write_text("img_0\n")
    two = {"train": str(tmp_path / "a/few.txt"), "val": str(tmp_path / "b/few.txt")}
    assert_refused(tmp_path, devkit, r"would both be split 'few'", **two)
    (tmp_path / "empty.txt").write_text("")
    assert_refused(
        tmp_path, devkit, r"empty\.txt is empty, but is to be the train split", train=str(tmp_path / "empty.txt")
    )


def test_a_missing_or_empty_list(tmp_path: Path, devkit: Path) -> None:
    assert_refused(tmp_path, devkit, r"train_aux\.txt is missing; did you mean 'train_aug'", train="train_aux")
    write_list(devkit, "val", [])
    assert_refused(tmp_path, devkit, r"val\.txt is empty, but is to be the val split")


def test_an_id_in_train_and_val(tmp_path: Path, devkit: Path) -> None:
    write_list(devkit, "val", ["img_4", "img_3", "img_0"])
    assert_refused(tmp_path, devkit, r"in split 'train_aug' \(train\) and in split 'val' \(val\): img_0, img_3")


def test_a_list_without_its_images_is_left_out(tmp_path: Path, devkit: Path) -> None:
    write_list(devkit, "test", ["2008_000006", "2008_000011"])
    said: list[Finding] = []
    prepared = run(tmp_path, devkit, said)
    assert len(prepared.samples) == 6
    assert said == [
        Finding("ok", "list 'test' left out: none of its images is here"),
        Finding("ok", "images on VOC's lists: train 2 of 1,464, train_aug 4 of 10,582, val 2 of 1,449"),
        *[f for f in said if "classes have no image in split 'train_aug'" in f.what],
    ]


def test_a_test_image_needs_no_annotation(tmp_path: Path, devkit: Path) -> None:
    (devkit / "JPEGImages" / "extra.jpg").write_bytes((devkit / "JPEGImages" / "img_0.jpg").read_bytes())
    write_list(devkit, "test", ["extra"])
    extra = sample(run(tmp_path, devkit), "extra")
    assert extra.tags == () and extra.mask is None and extra.splits == ("test",)


def test_a_tagless_image_is_a_warning(tmp_path: Path, devkit: Path) -> None:
    write_annotation(devkit, "img_2", [])
    said: list[Finding] = []
    assert sample(run(tmp_path, devkit, said), "img_2").tags == ()
    warned = [f.what for f in said if f.level == "warning" and "classes have no image" not in f.what]
    assert warned == ["1 train image(s) without a tag: img_2"]


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((1, 1, 48, 36), (0, 0, 48, 36)),
        ((5, 6, 5, 6), (4, 5, 5, 6)),
        ((10.4, 10.6, 20.2, 20), (9, 9, 21, 20)),
        ((0, -3, 50, 36.4), (0, 0, 48, 36)),
    ],
    ids=["whole", "one-pixel", "decimal", "beyond"],
)
def test_boxes_become_half_open(
    tmp_path: Path, devkit: Path, corners: tuple[float, ...], box: tuple[int, int, int, int]
) -> None:
    write_annotation(devkit, "img_0", [("cat", corners)])
    assert sample(run(tmp_path, devkit), "img_0").boxes == (Box(8, *box),)


def test_half_open_refuses_what_is_no_box() -> None:
    for corners in ((9, 1, 8, 2), (1, 1, float("nan"), 2), (49, 1, 60, 2), (-9, -9, 0, 0)):
        with pytest.raises(ValueError, match=r"inverted|finite|outside"):
            to_half_open(corners, 48, 36)


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([("cat", (20, 5, 10, 9))], r"the box of 'cat' is inverted \(xmin 20, ymin 5, xmax 10, ymax 9\)"),
        ([("cat", (60, 5, 70, 9))], "the box of 'cat' lies outside the image of 48 x 36"),
        ([("cat", ("", 5, 10, 9))], r"the box of 'cat' is not four numbers \(xmin missing"),
        ([("cat", ("nan", 5, 10, 9))], "the box of 'cat' is not finite"),
        ([("cat", (1, 1, 5, 5)), ("hors", (1, 1, 9, 9))], r"unknown class 'hors'; did you mean 'horse'"),
    ],
    ids=["inverted", "outside", "missing", "nan", "class"],
)
def test_a_bad_object_names_its_file(tmp_path: Path, devkit: Path, objects: Any, says: str) -> None:
    path = write_annotation(devkit, "img_1", objects)
    assert str(path) in assert_refused(tmp_path, devkit, says).what


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is missing"),
        (b"", "is no XML"),
        (b"<annotation><object>", "is no XML"),
        (b"<annotation><size><width>36</width><height>48</height></size></annotation>", "for an image of 36 x 48, but"),
    ],
    ids=["missing", "empty", "cut", "size"],
)
def test_a_bad_annotation_names_its_file(tmp_path: Path, devkit: Path, content: bytes | None, says: str) -> None:
    path = devkit / "Annotations" / "img_1.xml"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert str(path) in assert_refused(tmp_path, devkit, says).what


def test_bad_images_and_masks_name_their_files(tmp_path: Path, devkit: Path) -> None:
    image = devkit / "JPEGImages" / "img_0.jpg"
    image.write_bytes(image.read_bytes()[:-500])
    (devkit / "JPEGImages" / "img_1.jpg").write_bytes(b"")
    write_labels(devkit / "SegmentationClassAug" / "img_2.png", np.full((SIZE[1], SIZE[0]), 21, np.uint8))
    write_labels(devkit / "SegmentationClassAug" / "img_3.png", np.zeros(SIZE, np.uint8))
    (devkit / "JPEGImages" / "img_4.jpg").unlink()
    told = assert_refused(tmp_path, devkit, "problems in the data").what
    for expected in (
        "img_0.jpg is damaged",
        "img_1.jpg is empty",
        "img_2.png holds class ids 21",
        "img_3.png is 36 x 48",
        "img_4.jpg is missing",
    ):
        assert expected in told


def test_images_of_every_kind(tmp_path: Path, devkit: Path) -> None:
    folder = devkit / "JPEGImages"
    with Image.open(folder / "img_0.jpg") as picture:
        picture.convert("CMYK").save(folder / "img_0.jpg")
    with Image.open(folder / "img_1.jpg") as picture:
        picture.convert("L").save(folder / "img_1.jpg")
    with Image.open(folder / "img_2.jpg") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.rotate(90, expand=True).save(folder / "img_2.jpg", exif=exif)
    prepared = run(tmp_path, devkit)
    assert [(s.width, s.height) for s in prepared.samples] == [SIZE] * 6
