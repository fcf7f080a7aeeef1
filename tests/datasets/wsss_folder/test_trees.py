"""Trees of folders that say what the images are: Roboflow's splits, good and defective pieces."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from odd_pictures import write_tiff
from tiny_folder import BOX, SIZE, Folder, sample, tags_of, write, write_image, write_images, write_mask
from wsss_cli.checks.dataset import check
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.picture import PLAIN
from wsss_cli.errors import WsssError
from wsss_folder.class_folders import read_class_folders
from wsss_folder.coco_json import read_coco
from wsss_folder.defect_folders import read_defects
from wsss_folder.white_level import White, find_white

SPLITS = {"train": ("0.jpg", "1.jpg", "2.jpg"), "valid": ("0.jpg", "1.jpg")}
EXPECTED = {
    "train/0.jpg": ("cat",),
    "train/1.jpg": ("dog",),
    "train/2.jpg": ("cat",),
    "valid/0.jpg": ("dog",),
    "valid/1.jpg": ("cat",),
}


def roboflow_json(names: tuple[str, ...], first: int) -> str:
    """Cats and dogs in turn, below a root category that is no class."""
    sizes = {"width": SIZE[0], "height": SIZE[1]}
    above: dict[str, Any] = {"supercategory": "objects"}
    content = {
        "images": [{"id": n, "file_name": name, **sizes} for n, name in enumerate(names)],
        "categories": [
            {"id": 0, "name": "objects", "supercategory": "none"},
            {"id": 1, "name": "cat", **above},
            {"id": 2, "name": "dog", **above},
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1 + (n + first) % 2, "bbox": [5, 4, 20, 12]}
            for n in range(len(names))
        ],
    }
    return json.dumps(content)


def write_roboflow(root: Path, kind: str) -> None:
    for first, (split, names) in enumerate(SPLITS.items()):
        write_images(root / split, names)
        if kind == "coco":
            write(root / split / "_annotations.coco.json", roboflow_json(names, first))
        else:
            rows = [f"{name}, {(n + first + 1) % 2}, {(n + first) % 2}" for n, name in enumerate(names)]
            write(root / split / "_classes.csv", "\n".join(["filename, cat, dog", *rows]))


@pytest.mark.parametrize("kind", ["coco", "classes"])
def test_names_that_are_in_train_and_in_valid(folder: Folder, kind: str) -> None:
    write_roboflow(folder.images, kind)
    prepared = folder.prepare()
    assert prepared.info.classes == ("cat", "dog") and prepared.info.splits["val"] == "val"
    assert tags_of(prepared, folder.images) == EXPECTED
    assert {s.splits for s in prepared.samples if s.id.startswith("valid")} == {("val",)}


def test_only_one_of_the_files_is_asked_for(folder: Folder) -> None:
    write_roboflow(folder.images, "coco")
    prepared = folder.prepare(coco=(folder.images / "valid/_annotations.coco.json",))
    told = {name: tags for name, tags in EXPECTED.items() if name.startswith("valid")}
    assert tags_of(prepared, folder.images) == dict.fromkeys(EXPECTED, ()) | told


def test_annotations_of_an_image_that_is_gone_do_not_fall_on_its_namesake_in_another_split(folder: Folder) -> None:
    write_roboflow(folder.images, "coco")
    (folder.images / "valid/0.jpg").unlink()
    with pytest.raises(WsssError, match=r"image 0: there is no image 'valid/0.jpg'.*of split val"):
        folder.prepare()


def write_coco_splits(path: Path, folders: dict[str, str], files: dict[str, str]) -> None:
    """COCO's own layout: a folder of images (folders) and a JSON in annotations/ (files) for each split."""
    for first, (split, names) in enumerate(SPLITS.items()):
        write_images(path / folders[split], names)
        write(path / "annotations" / files[split], roboflow_json(names, first))


COCO_FOLDERS = [
    ("", {"train": "train2017", "valid": "val2017"}),
    ("", {"train": "train", "valid": "valid"}),
    ("images", {"train": "images/train", "valid": "images/val"}),
]
COCO_FILES = [
    {"train": "instances_train2017.json", "valid": "instances_val2017.json"},
    {"train": "train.json", "valid": "valid.json"},
    {"train": "my-train-coco.json", "valid": "my-dev-coco.json"},
]


@pytest.mark.parametrize("files", COCO_FILES, ids=lambda files: files["train"])
@pytest.mark.parametrize(("images", "folders"), COCO_FOLDERS, ids=lambda part: str(part))
def test_a_file_for_each_split(folder: Folder, images: str, folders: dict[str, str], files: dict[str, str]) -> None:
    """Image names are those within a folder, and the same in both."""
    write_coco_splits(folder.path, folders, files)
    prepared = folder.prepare(images=folder.path / images)
    split = {"train": folders["train"].rpartition("/")[2], "valid": folders["valid"].rpartition("/")[2]}
    expected = {f"{split[name.split('/')[0]]}/{name.split('/')[1]}": tags for name, tags in EXPECTED.items()}
    below = folder.path / (images or ".")
    assert tags_of(prepared, below) == expected
    assert {s.splits for s in prepared.samples if "va" in s.id} == {("val",)}


def test_a_file_for_each_split_and_one_folder_of_images(folder: Folder) -> None:
    names = {"train": ("0.jpg", "1.jpg", "2.jpg"), "valid": ("3.jpg", "4.jpg")}
    for first, (split, of) in enumerate(names.items()):
        write_images(folder.images, of)
        write(folder.path / f"annotations/instances_{split}.json", roboflow_json(of, first))
    prepared, said = folder.typed()
    assert {s.id: s.splits for s in prepared.samples} == {
        **dict.fromkeys("012", ("train",)),
        **dict.fromkeys("34", ("val",)),
    }
    assert "splits from" in said and "instances_valid.json" in said
    drawn, _ = folder.typed("--val", 0.4, "--seed", 3, "--force")
    assert {len(drawn.split(name)) for name in ("train", "val")} == {2, 3}


def test_cocos_files_of_other_tasks_are_passed_over(folder: Folder) -> None:
    write_coco_splits(folder.path, COCO_FOLDERS[0][1], COCO_FILES[0])
    for name in ("captions_train2017", "person_keypoints_val2017", "image_info_test2017", "stuff_val2017"):
        write(folder.path / f"annotations/{name}.json", '{"images": [], "annotations": [], "categories": []}')
    assert tags_of(folder.prepare(images=folder.path), folder.path)["val2017/0.jpg"] == ("dog",)


def test_files_that_tell_no_split_or_one_twice_are_asked_for(folder: Folder) -> None:
    write_images(folder.images, SPLITS["train"])
    for name in ("train.json", "train-old.json", "notes.json"):
        write(folder.path / "annotations" / name, roboflow_json(SPLITS["train"], 0))
    with pytest.raises(WsssError, match="there are 3 sources of annotations"):
        folder.prepare()
    (folder.path / "annotations/notes.json").unlink()
    with pytest.raises(WsssError, match="there are 2 sources of annotations"):
        folder.prepare()


@pytest.mark.parametrize(
    ("categories", "used", "classes"),
    [
        ([(0, "cat", "none"), (1, "cat", "cat")], 1, ("cat",)),  # Roboflow's root, named as its only class
        ([(1, "person", "person"), (2, "dog", "animal")], 2, ("person", "dog")),
        ([(1, "animal", "none"), (2, "dog", "animal")], 1, ("animal", "dog")),  # annotated: a class
        ([(1, "animal", "none"), (2, "dog", "animal")], 2, ("dog",)),
    ],
)
def test_a_category_above_others(
    tmp_path: Path, categories: list[tuple[int, str, str]], used: int, classes: tuple[str, ...]
) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": id, "name": name, "supercategory": above} for id, name, above in categories],
        "annotations": [{"id": 1, "image_id": 1, "category_id": used}],
    }
    assert read_coco(write(tmp_path / "c.json", json.dumps(content))).classes == classes


MVTEC = {
    **{f"train/good/{n:03}.png": () for n in range(4)},
    **{f"test/good/{n:03}.png": () for n in range(2)},
    **{f"test/{kind}/{n:03}.png": (kind,) for kind in ("broken", "dirt") for n in range(4)},
}


MVTEC_NAMES = ("train/good/000", "test/good/000", "test/cut/000")


def write_mvtec(root: Path) -> None:
    write_images(root, MVTEC)
    for name, tags in MVTEC.items():
        if tags:
            write_mask(root / name.replace("test/", "ground_truth/").replace(".png", "_mask.png"), 255)


@pytest.mark.parametrize("defects", ["kinds", "one"])
def test_the_layout_of_mvtec(folder: Folder, defects: str) -> None:
    write_mvtec(folder.images)
    prepared = folder.prepare(defects=defects)
    classes = ("broken", "dirt") if defects == "kinds" else ("defect",)
    expected = {name: tags if defects == "kinds" else tuple("defect" for _ in tags) for name, tags in MVTEC.items()}
    assert prepared.info.classes == classes and prepared.info.masks == "ground_truth"
    assert not any("is not used" in note for note in prepared.info.notes)
    assert tags_of(prepared, folder.images) == expected  # none of the masks among them
    x0, y0, x1, y1 = BOX
    for one in prepared.samples:
        assert one.mask is not None
        labels = read_labels(one.mask)
        inside = labels[y0:y1, x0:x1]
        assert (inside == (one.tags[0] if one.tags else 0)).all() and (labels > 0).sum() == (inside > 0).sum()


def test_a_train_folder_of_good_images_is_not_the_split_to_learn_from(folder: Folder) -> None:
    write_mvtec(folder.images)
    prepared = folder.prepare(defects="kinds")
    assert {tag for s in prepared.split("train") for tag in s.tags} == {1, 2}
    assert any("train/ holds good images only" in note for note in prepared.info.notes)
    write_image(folder.images / "train/dirt/9.png")
    prepared = folder.prepare(defects="kinds")
    assert {s.splits for s in prepared.samples if s.id.startswith("test")} == {("test",)}


@pytest.mark.parametrize("good", ["good", "Normal", "OK"])
def test_good_and_bad(folder: Folder, good: str) -> None:
    write_images(folder.images, [f"{name}/{n}.jpg" for name in (good, "bad") for n in range(3)])
    prepared = folder.prepare(defects="kinds")
    assert prepared.info.classes == ("bad",)
    assert {s.id.partition("__")[0]: s.tags for s in prepared.samples} == {good: (), "bad": (1,)}
    assert all(s.mask is None for s in prepared.samples)
    said = read_class_folders(folder.images, [f"{good}/0.jpg", "bad/0.jpg"]).notes
    assert any("--defects kinds" in note for note in said)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["good/a.jpg", "b.jpg"], "b.jpg is in no folder"),
        (["train/good/a.jpg", "test/b.jpg"], "b.jpg is in no folder"),
        (["good/a.jpg", "good/b.jpg"], "no folder of images with a defect"),
        (["bent/a.jpg", "dirt/b.jpg"], "no folder of good images"),
    ],
)
def test_trees_that_hold_no_defects(tmp_path: Path, names: list[str], says: str) -> None:
    with pytest.raises(WsssError, match=says):
        read_defects(tmp_path, names, one=False)


def write_pieces(root: Path, images: tuple[str, ...], masks: tuple[str, ...]) -> None:
    write_images(root, images)
    for name in masks:
        write_mask(root / name, 255)


LAYOUTS = {
    "MVTec, two objects": (
        tuple(f"{of}/{name}.png" for of in ("bottle", "cable") for name in MVTEC_NAMES),
        tuple(f"{of}/ground_truth/cut/000_mask.png" for of in ("bottle", "cable")),
        {"bottle/test/cut/000.png": ("bottle/cut",), "cable/test/cut/000.png": ("cable/cut",)},
    ),
    "MVTec, the folder above one": (
        tuple(f"bottle/{name}.png" for name in MVTEC_NAMES),
        ("bottle/ground_truth/cut/000_mask.png",),
        {"bottle/test/cut/000.png": ("cut",)},
    ),
    "MVTec AD 2": (
        ("train/good/0.png", "validation/good/1.png", "test_public/good/2.png", "test_public/bad/3.png"),
        ("test_public/ground_truth/bad/3_mask.png",),
        {"test_public/bad/3.png": ("bad",)},
    ),
    "VisA": (
        ("Data/Images/Normal/0.JPG", "Data/Images/Normal/1.JPG", "Data/Images/Anomaly/0.JPG"),
        ("Data/Masks/Anomaly/0.png",),
        {"Data/Images/Anomaly/0.JPG": ("Anomaly",)},
    ),
    "BTAD": (
        ("train/ok/0.bmp", "test/ok/1.bmp", "test/ko/2.bmp"),
        ("ground_truth/ko/2.png",),
        {"test/ko/2.bmp": ("ko",)},
    ),
}


@pytest.mark.parametrize(("images", "masks", "tags"), LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_good_and_defective_pieces(
    folder: Folder, images: tuple[str, ...], masks: tuple[str, ...], tags: dict[str, tuple[str, ...]]
) -> None:
    write_pieces(folder.images, images, masks)
    prepared = folder.prepare(defects="kinds", val=0.5)
    assert tags_of(prepared, folder.images) == dict.fromkeys(images, ()) | tags
    x0, y0, x1, y1 = BOX
    for one in prepared.samples:
        assert one.mask is not None
        assert (read_labels(one.mask)[y0:y1, x0:x1] == (one.tags[0] if one.tags else 0)).all()


def test_images_of_a_private_test_set_have_no_label(folder: Folder) -> None:
    images = ("train/good/0.png", "test_public/bad/1.png", "test_private/2_regular.png", "test_private_mixed/3.png")
    write_pieces(folder.images, images, ())
    prepared = folder.prepare(defects="one", val=0.5)
    assert tags_of(prepared, folder.images) == dict.fromkeys(images, ()) | {"test_public/bad/1.png": ("defect",)}
    assert any("2 of 4 images are not labelled (2 of a private test set)" in note for note in prepared.info.notes)


def test_several_objects_without_the_option_are_refused(folder: Folder) -> None:
    images, masks, _ = LAYOUTS["MVTec, two objects"]
    write_pieces(folder.images, images, masks)
    with pytest.raises(WsssError, match="holds data sets of good and defective pieces, as MVTec's: bottle, cable"):
        folder.prepare()
    said = folder.prepare(defects="kinds", val=0.5).info.notes
    assert any("2 data sets of good and defective pieces are taken as one: bottle, cable" in note for note in said)


@pytest.mark.parametrize("name", ["masks", "Label", "gt"])
def test_folders_of_masks_hold_no_images(folder: Folder, name: str) -> None:
    write_pieces(folder.images, ("cat/0.png", "cat/1.png", "dog/0.png"), (f"cat/{name}/0_label.png",))
    prepared = folder.prepare(val=0.4)
    assert {s.id for s in prepared.samples} == {"cat__0", "cat__1", "dog__0"}
    assert any(f"cat/{name} holds masks, which are no images; --masks" in note for note in prepared.info.notes)


def test_folders_of_masks_in_each_class_are_used_if_asked(folder: Folder) -> None:
    """As DAGM has them: Class1/Train/0576.PNG and Class1/Train/Label/0576_label.PNG; Kolektor's lie beside."""
    images = tuple(f"{kind}/Train/{n}.png" for kind in ("Class1", "Class2") for n in range(2))
    masks = tuple(f"{kind}/Train/Label/0_label.png" for kind in ("Class1", "Class2"))
    write_pieces(folder.images, images, (*masks, "Class1/Train/1_GT.png"))
    options: dict[str, Any] = {"masks": folder.images, "tags_from_masks": True, "class_folders": False}
    options |= {"mask_values": "0=background,255=crack"}
    prepared = folder.prepare(**options, val=0.4)
    tags = {"Class1/Train/0.png", "Class1/Train/1.png", "Class2/Train/0.png"}
    assert tags_of(prepared, folder.images) == {name: ("crack",) if name in tags else () for name in images}


def test_a_class_that_is_called_mask(folder: Folder) -> None:
    """Faces with and without one: numbered alike, but pictures."""
    images = tuple(f"{kind}/{n}.jpg" for kind in ("mask", "no_mask") for n in range(3))
    write_images(folder.images, images)
    assert {s.image.parent.name: s.tags for s in folder.prepare(val=0.4).samples} == {"mask": (1,), "no_mask": (2,)}


def test_a_mask_of_a_defect_of_other_values_is_refused(folder: Folder) -> None:
    write_mvtec(folder.images)
    write_mask(folder.images / "ground_truth/dirt/000_mask.png", 1)  # 0 and 1 will do
    mask = sample(folder.prepare(defects="kinds"), "test__dirt__000").mask
    assert mask and set(np.unique(read_labels(mask)).tolist()) == {0, 2}
    write_mask(folder.images / "ground_truth/dirt/000_mask.png", 77)
    with pytest.raises(WsssError, match=r"dirt/000_mask\.png holds 77"):
        folder.prepare(defects="kinds")


def test_deep_pictures_and_pages_become_pictures_of_the_data_set(folder: Folder) -> None:
    """12 bits in 16 by --white-level, the first page by --pages: shown once, as PNGs that every stage reads."""
    folder.images.mkdir()
    deep = np.linspace(0, 4095, SIZE[0] * SIZE[1]).reshape(SIZE[::-1]).astype(np.uint16)
    for name in ("a", "b", "c"):
        write_tiff(folder.images / f"{name}.tif", deep)
    pages = [Image.fromarray((deep[::step] >> 4).astype(np.uint8).repeat(step, 0)) for step in (1, 2)]
    pages[0].save(folder.images / "d.tif", save_all=True, append_images=pages[1:])
    (folder.images / "tags.csv").write_text("image,tags\n" + "".join(f"{n}.tif,cat\n" for n in "abcd"))
    with pytest.raises(WsssError, match=r"d\.tif holds 2 pages"):
        folder.prepare(val=0.25)
    prepared = folder.prepare(val=0.25, white_level=4095, pages="first")
    assert prepared.info.pictures == {"white_level": 4095, "black_level": 0, "first_page": 1}
    for id in "abcd":
        assert (read_image(sample(prepared, id).image) == (deep >> 4)[..., None]).all()


def test_the_white_of_16_bits_is_that_of_the_whole_data_set(folder: Folder) -> None:
    """12 bits in 16, whatever the brightest value of each image; 8-bit images and those that use 16 bits stay."""
    folder.images.mkdir()
    deep = np.linspace(0, 4095, SIZE[0] * SIZE[1]).reshape(SIZE[::-1]).astype(np.uint16)
    write_tiff(folder.images / "a.tif", deep)
    Image.fromarray(deep // 3).save(folder.images / "b.png")
    write_image(folder.images / "c.jpg")
    write(folder.path / "t.csv", "image,tags\na,cat\nb,cat\nc,cat\n")
    prepared = folder.prepare(val=0.3)
    shown = {s.id: read_image(s.image) for s in prepared.samples}
    assert (shown["a"] == (deep >> 4)[..., None]).all() and (shown["b"] == (deep // 3 >> 4)[..., None]).all()
    assert sample(prepared, "c").image == folder.images / "c.jpg"
    assert prepared.info.pictures == {"white_level": 4095}
    (warning,) = (f.what for f in check(prepared).findings if "12 bits" in f.what)
    assert warning.startswith(
        "2 image(s) of 16 bits hold values of 12 bits only: 4095 is shown as white in all of them"
    )
    asked = folder.prepare(val=0.3, white_level=8191)
    assert asked.info.pictures == {"white_level": 8191, "black_level": 0}
    assert (read_image(sample(asked, "a").image) == (deep >> 5)[..., None]).all()
    Image.fromarray(deep * 16).save(folder.images / "b.png")
    plain = folder.prepare(val=0.3)
    assert plain.info.pictures == {} and sample(plain, "a").image == folder.images / "a.tif"


@pytest.mark.parametrize(("brightest", "level"), [(200, 255), (256, 1023), (4096, 16383), (16384, None)])
def test_depths_of_sensors(tmp_path: Path, brightest: int, level: int | None) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.tif", tmp_path / "c.png", tmp_path / "none.png"]
    Image.fromarray(np.array([[0, brightest]], np.uint16)).save(paths[0])
    write_tiff(paths[1], np.full((2, 2), 7, np.uint16))
    Image.fromarray(np.full((2, 2), 255, np.uint8)).save(paths[2])
    found = find_white(paths, PLAIN)
    assert found == (level and White(level, 2))


def test_the_limit_of_pixels_is_kept_with_the_data_set(folder: Folder) -> None:
    write_images(folder.images, ("a.png", "b.png"))
    csv = write(folder.path / "t.csv", "image,tags\na,cat\nb,cat\n")
    with pytest.raises(WsssError, match=r"more than 0\.001 million") as caught:
        folder.prepare(tags=(csv,), val=0.5, max_megapixels=0.001)
    assert "split" not in caught.value.what  # which is empty for that alone
    assert not list(folder.path.glob("data/*"))
    prepared = folder.prepare(tags=(csv,), val=0.5, max_megapixels=0.0012)
    assert prepared.info.pictures == {"max_megapixels": 0.0012}
    tight = replace(prepared, info=replace(prepared.info, pictures={"max_megapixels": 0.001}))
    assert [f.kind for f in check(tight).findings if f.level == "error"] == ["unreadable-image"] * 2
    assert not any(f.level == "error" for f in check(prepared).findings)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"black_level": 9}, "without --white-level"), ({"white_level": 9, "black_level": 9}, "is not above")],
)
def test_levels_that_leave_no_range_are_refused(folder: Folder, options: dict[str, float], says: str) -> None:
    write_images(folder.images, ("a.png",))
    with pytest.raises(WsssError, match=says):
        folder.prepare(**options)


def test_pictures_that_are_not_read_are_said(folder: Folder) -> None:
    """HEIC is refused with the plugin's name, raw files are counted."""
    for name in ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png"):
        write_image(folder.images / name)
    for name in ("cat/x.dng", "cat/y.DNG", "dog/z.dcm"):
        (folder.images / name).write_bytes(b"II*")
    prepared = folder.prepare(val=0.5)
    assert any("passed over (1 .dcm, 2 .dng)" in note for note in prepared.info.notes)
    (folder.images / "cat/h.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(WsssError, match=r"h\.heic is a HEIC picture, which Pillow cannot read") as said:
        folder.prepare(val=0.5)
    assert "pip install pillow-heif" in str(said.value) + str(said.value.remedy)


def write_named(path: Path, file: str, tags: dict[str, str]) -> Path:
    return write(path / file, "\n".join(["image,tags", *(f"{name},{tag}" for name, tag in tags.items())]))


def test_files_of_splits_do_not_both_fall_on_the_images_of_one(folder: Folder) -> None:
    """Of val/ alone, beside train/ and with a file for each: the file of train says nothing of it."""
    write_coco_splits(folder.path, COCO_FOLDERS[1][1], COCO_FILES[0])
    prepared = folder.prepare(images=folder.path / "valid", val=0.5)
    assert tags_of(prepared, folder.path / "valid") == {"0.jpg": ("dog",), "1.jpg": ("cat",)}


def test_only_one_of_the_folders_is_there(folder: Folder) -> None:
    """COCO's val2017 alone with both files, whose names are others: that of train is left alone."""
    for first, (split, names) in enumerate({"train": ("a.jpg", "b.jpg"), "val": ("c.jpg", "d.jpg")}.items()):
        write(folder.path / f"annotations/instances_{split}2017.json", roboflow_json(names, first))
    write_images(folder.path / "val2017", ("c.jpg", "d.jpg"))
    for images in (folder.path, folder.path / "val2017"):
        prepared = folder.prepare(images=images, val=0.5)
        assert sorted(tags for s in prepared.samples for tags in s.tags) == [1, 2]


@pytest.mark.parametrize(
    ("folders", "file"),
    [
        (("train", "val"), "test_labels.csv"),  # of all images
        (("dev", "prod"), "train.csv"),  # folders of a project
        (("test",), "instances_train.csv"),
    ],
)
def test_a_file_whose_name_only_looks_like_that_of_a_split(folder: Folder, folders: tuple[str, ...], file: str) -> None:
    names = {f"{n}{name}.jpg": "cat" if n else "dog" for name in folders for n in range(3)}
    for name in names:
        write_image(folder.images / name[1:-4] / name)
    prepared = folder.prepare(tags=(write_named(folder.path, file, names),), val=0.4)
    assert all(len(sample.tags) == 1 for sample in prepared.samples) and len(prepared.samples) == len(names)


def test_a_column_of_splits_counts_more_than_the_name_of_the_file(folder: Folder) -> None:
    for name in ("train/0.jpg", "test/1.jpg"):
        write_image(folder.images / name)
    path = write(folder.path / "train.csv", "image,tags,split\n0.jpg,cat,train\n1.jpg,dog,test\n")
    prepared = folder.prepare(tags=(path,))
    assert {s.id: s.splits for s in prepared.samples} == {"train__0": ("train",), "test__1": ("test",)}


def test_tables_named_after_splits_with_the_same_names_in_each(folder: Folder) -> None:
    for split, tag in (("train", "cat"), ("val", "dog")):
        write_images(folder.images / split, ("0.jpg", "1.jpg"))
        write_named(folder.path, f"{split}.csv", dict.fromkeys(("0.jpg", "1.jpg"), tag))
    tags = tags_of(folder.prepare(), folder.images)
    assert tags == {f"{s}/{n}.jpg": (t,) for s, t in (("train", "cat"), ("val", "dog")) for n in (0, 1)}


@pytest.mark.parametrize(
    "content",
    [
        [{"file_name": f"cat/{n}.jpg", "text": f"a photo of cat {n}"} for n in range(2)],
        [{"image": f"cat/{n}.jpg", "score": 0.5, "label": "x"} for n in range(2)],
    ],
)
def test_a_stray_json_does_not_overrule_folders_of_classes(folder: Folder, content: list[Any]) -> None:
    for name in ("cat/0.jpg", "cat/1.jpg", "dog/2.jpg"):
        write_image(folder.images / name)
    write(folder.path / "predictions.json", json.dumps(content))
    with pytest.raises(WsssError, match=r"2 sources of annotations: --tags .*predictions.json; --class-folders"):
        folder.prepare()
    assert folder.prepare(class_folders=True, val=0.4).info.classes == ("cat", "dog")


@pytest.mark.parametrize(
    "lists", [{"train": "0 1", "val": "2"}, {"train": "0 1 2 3 4 5", "val": "5 6 7 8 9"}], ids=["few", "overlapping"]
)
def test_lists_that_nobody_asked_for_take_no_images_away(folder: Folder, lists: dict[str, str]) -> None:
    names = {f"{n}.jpg": "cat" if n % 2 else "dog" for n in range(10)}
    write_images(folder.images, names)
    write_named(folder.path, "tags.csv", names)
    for split, text in lists.items():
        write(folder.path / f"{split}.txt", "\n".join(f"{n}.jpg" for n in text.split()))
    prepared = folder.prepare()
    assert len(prepared.samples) == 10 and any("drawn with seed" in note for note in prepared.info.notes)


def test_a_folder_called_images_comes_before_others(folder: Folder) -> None:
    write_images(folder.path / "data/images", ("0.jpg", "1.jpg"))
    write_images(folder.path / "data/img", ("2.jpg",))
    path = write_named(folder.path, "t.csv", {"0.jpg": "cat", "1.jpg": "cat"})
    assert {s.id for s in folder.prepare(images=folder.path / "data", tags=(path,), val=0.5).samples} == {"0", "1"}
