"""What a reading of all files tells: copies, tags that masks deny, classes without images."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_folder import changed, drawn_folder
from wsss_cli.checks.agreement import Agreement
from wsss_cli.checks.balance import Balance
from wsss_cli.checks.dataset import check, pixel_counts
from wsss_cli.checks.finding import Finding
from wsss_cli.data.images import read_bytes, verified
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample

INFO = DatasetInfo("", "", ("cat", "dog", "cow"), {"train": "train", "val": "val", "seeds": "train"}, "")


def found(prepared: Prepared, kind: str) -> Finding:
    (only,) = [f for f in check(prepared).findings if f.kind == kind]
    return only


def kinds(prepared: Prepared) -> list[str]:
    return [f.kind for f in check(prepared).findings]


def copy(prepared: Prepared, source: int, target: int) -> None:
    shutil.copyfile(prepared.samples[source].image, prepared.samples[target].image)


def test_nothing_to_say(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    assert check(prepared).findings == [Finding("ok", "9 images, 2 classes: every file is sound")]


def test_a_copy_in_train_and_val_is_an_error(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    copy(prepared, 7, 2)
    leak = found(prepared, "duplicate-across")
    assert leak.level == "error" and leak.images == ("ä2",)
    assert leak.what == "1 image(s) of split 'train' (train) are also in 'val' (val): ä2 = ä7"
    assert kinds(prepared) == ["duplicate-across"]


def test_a_copy_within_a_split_is_a_warning(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    copy(prepared, 3, 5)
    copy(prepared, 3, 4)
    twice = found(prepared, "duplicate")
    assert twice.level == "warning" and twice.images == ("ä3", "ä4", "ä5")
    assert twice.what.endswith("1 picture(s) stand there more than once: ä3 = ä4 = ä5")


def test_pixels_count_not_bytes(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    with Image.open(prepared.samples[7].image) as image:
        image.save(prepared.samples[2].image, compress_level=1, pnginfo=None, dpi=(90, 90))
    assert prepared.samples[2].image.read_bytes() != prepared.samples[7].image.read_bytes()
    assert found(prepared, "duplicate-across").images == ("ä2",)


def test_equal_sketches_are_compared_in_full(tmp_path: Path) -> None:
    """Two palette pictures with equal indices and other colours: the sketch, made without the palette, is the same."""
    prepared = drawn_folder(tmp_path)
    sketches = []
    for n, colour in ((2, 200), (7, 90)):
        image = Image.fromarray(np.zeros((16, 20), np.uint8))
        image.putpalette([colour] * 768)
        image.save(prepared.samples[n].image)
        sketches.append(verified(read_bytes(prepared.samples[n].image), prepared.samples[n].image).sketch)
    assert sketches[0] == sketches[1]
    assert "duplicate-across" not in kinds(prepared)


def test_tags_and_masks(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path, lambda samples: changed(changed(samples, 0, tags=(1, 2)), 3, tags=()))
    assert prepared.samples[1].mask is not None
    write_labels(prepared.samples[1].mask, np.full((16, 20), 1, np.uint8))
    unseen, untold = found(prepared, "tag-not-in-mask"), found(prepared, "mask-not-in-tags")
    assert unseen.what == "2 of 8 masks lack a class that their image is tagged with: ä0 (dog), ä1 (dog)"
    assert untold.what == "1 of 8 masks hold a class that their image is not tagged with: ä1 (cat)"
    assert unseen.level == untold.level == "warning" and unseen.images == ("ä0", "ä1")
    assert found(prepared, "untagged").images == ("ä3",)  # not told of twice


def test_ignored_and_unknown_pixels_are_no_class() -> None:
    agreement = Agreement(INFO)
    agreement.add(Sample("a", Path("a"), 1, 1, (1,)), {0: 5, 1: 2, 9: 4, 255: 3})
    agreement.add(Sample("b", Path("b"), 1, 1, (1,)), None)
    assert agreement.findings() == [] and agreement.masks == 1


def test_an_unreadable_mask_and_image(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    prepared.samples[0].image.write_bytes(b"")
    assert prepared.samples[6].mask is not None
    prepared.samples[6].mask.write_bytes(b"no PNG")
    assert found(prepared, "unreadable-image").images == ("ä0",)
    assert found(prepared, "unreadable-mask").images == ("ä6",)


def counted(images: dict[int, int]) -> Balance:
    """With so many train images of each class."""
    balance = Balance(INFO)
    for label, n in images.items():
        for _ in range(n):
            sample = Sample("x", Path("x"), 4, 2, (label,), (Box(label, 0, 0, 1, 1),), splits=("train", "all"))
            balance.add(sample, {0: 5, label: 2, 255: 1})
    return balance


def test_balance_counts_images_boxes_and_pixels() -> None:
    balance = counted({1: 3, 2: 1})
    balance.add(Sample("v", Path("v"), 4, 2, (1, 2), splits=("val",)), None)
    plain = balance.as_dict()
    assert list(plain) == ["train", "all", "val"]
    assert plain["train"] == plain["all"]
    assert {k: plain["train"][k] for k in ("images", "masks", "background_pixels", "ignored_pixels")} == {
        "images": 4,
        "masks": 4,
        "background_pixels": 20,
        "ignored_pixels": 4,
    }
    assert plain["train"]["classes"] == [
        {"id": 1, "name": "cat", "images": 3, "boxes": 3, "pixels": 6},
        {"id": 2, "name": "dog", "images": 1, "boxes": 1, "pixels": 2},
        {"id": 3, "name": "cow", "images": 0, "boxes": 0, "pixels": 0},
    ]
    assert [c["images"] for c in plain["val"]["classes"]] == [1, 1, 0] and plain["val"]["masks"] == 0


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ({1: 5, 2: 4, 3: 6}, []),
        ({1: 5, 2: 4}, ["1 of 3 classes have no image in split 'train' (train): cow"]),
        ({1: 40, 2: 3, 3: 40}, ["1 of 3 classes have few images in split 'train' (train): dog (3)"]),
        ({}, []),
    ],
)
def test_rare_classes_are_named(images: dict[int, int], says: list[str]) -> None:
    assert [f.what for f in counted(images).findings()] == says


def test_ids_of_16_bits() -> None:
    assert pixel_counts(np.array([[0, 300], [300, 65535]], np.uint16)) == {0: 1, 300: 2, 65535: 1}


def test_another_size_is_another_sketch(tmp_path: Path) -> None:
    sketches = set()
    for size in ((8, 4), (4, 8)):
        Image.new("RGB", size).save(tmp_path / "x.png")
        sketches.add(verified(read_bytes(tmp_path / "x.png"), tmp_path / "x.png").sketch)
    assert len(sketches) == 2
