"""Masks among and beside the images, told by what they hold and by how their names differ from those of images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tiny_folder import SIZE, Folder, tags_of, write, write_image, write_images, write_mask
from wsss_cli.errors import WsssError
from wsss_folder.affixes import Rule, rules
from wsss_folder.automatic import options as automatic
from wsss_folder.class_folders import looks_so
from wsss_folder.config import Options
from wsss_folder.few_values import is_like_mask
from wsss_folder.masks import find_masks
from wsss_folder.matching import Finder
from wsss_folder.pictures import find_pictures

LAYOUTS = {  # image, its mask, which folder of masks is told ("": that of the images)
    "CamVid": ("raw_full/{n}TP_0.png", "LabeledApproved_full/{n}TP_0_L.png", "LabeledApproved_full"),
    "CVC-ClinicDB": ("Original/{n}.tif", "Ground Truth/{n}.tif", "Ground Truth"),
    "ISIC": ("Task1_Input/ISIC_{n}.jpg", "Task1_GroundTruth/ISIC_{n}_segmentation.png", "Task1_GroundTruth"),
    "Potsdam": ("2_Ortho_RGB/top_2_{n}_RGB.tif", "5_Labels_all/top_2_{n}_label.tif", "5_Labels_all"),
    "DRIVE": ("training/images/{n}_training.tif", "training/1st_manual/{n}_manual1.gif", "training/1st_manual"),
    "FloodNet": ("train-org-img/{n}.jpg", "train-label-img/{n}_lab.png", "train-label-img"),
    "numbered": ("in/image_{n:03}.png", "out/mask_{n:03}.png", "out"),
    "numbered without a separator": ("in/img{n}.png", "out/lab{n}.png", "out"),
    "deeper": ("Rural/images_png/{n}.png", "Rural/masks_png/{n}.png", "Rural/masks_png"),
    "folders of the same kind in both": ("in/{n}/x.png", "labels_out/{n}/x.png", "labels_out"),
    "DeepGlobe": ("train/{n}_sat.jpg", "train/{n}_mask.png", ""),
    "GlaS": ("train_{n}.bmp", "train_{n}_anno.bmp", ""),
    "iSAID": ("P{n:04}.png", "P{n:04}_instance_color_RGB.png", ""),
    "magnetic tiles": ("MT_Blowhole/Imgs/exp1_{n}.jpg", "MT_Blowhole/Imgs/exp1_{n}.png", ""),
    "xView2": ("in/h_{n}_pre_disaster.png", "targets/h_{n}_pre_disaster_target.png", "targets"),
    "usual": ("cat/{n}.jpg", "cat/{n}_mask.png", ""),
}


def write_pairs(root: Path, image: str, mask: str, count: int = 5) -> list[str]:
    names = [image.format(n=n) for n in range(count)]
    write_images(root, names)
    for n in range(count):
        write_mask(root / mask.format(n=n), 255)
    return names


@pytest.mark.parametrize(("image", "mask", "told"), LAYOUTS.values(), ids=LAYOUTS)
def test_masks_are_no_images(folder: Folder, image: str, mask: str, told: str) -> None:
    names = write_pairs(folder.images, image, mask)
    table = write(folder.path / "t.csv", "image,tags\n" + "".join(f"{name},cat\n" for name in names))
    prepared = folder.prepare(tags=(table,), val=0.4)
    assert set(tags_of(prepared, folder.images)) == set(names)
    assert any(f"--masks {folder.images / told} would score" in note for note in prepared.info.notes)
    scored = folder.prepare(tags=(table,), val=0.4, masks=folder.images / told)
    assert set(tags_of(scored, folder.images)) == set(names) and all(sample.mask for sample in scored.samples)


@pytest.mark.parametrize(("image", "mask", "told"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_folder_of_which_nothing_is_said(folder: Folder, image: str, mask: str, told: str) -> None:
    """Neither are folders of images and of masks two classes; the masks are what there is to learn from."""
    write_pairs(folder.images, image, mask)
    found = automatic(folder.images)
    assert found.masks == folder.images / told and found.tags_from_masks
    assert all(
        sample.mask and sample.tags == (1,) for sample in folder.prepare(**found.model_dump(exclude_unset=True)).samples
    )


@pytest.mark.parametrize("names", ["{}_{}/{}.png", "{1}-{0}/{2}.png"], ids=["DeepCrack", "the other way round"])
def test_folders_of_each_split(folder: Folder, names: str) -> None:
    """They are no classes, and a mask goes with the image of its own split."""
    for split, value in (("train", 1), ("test", 2)):
        for n in range(3):
            write_image(folder.images / names.format(split, "img", n))
            write_mask(folder.images / names.format(split, "lab", n), value)
    with pytest.raises(WsssError, match=r"(?s)no annotation .* is recognised.*--masks .*images --tags-from-masks"):
        folder.prepare()
    prepared = folder.prepare(masks=folder.images, tags_from_masks=True, val=0.5)
    assert {"train" in sample.id: sample.tags for sample in prepared.samples} == {True: (1,), False: (2,)}


def test_many_folders_of_masks_are_one_note(folder: Folder) -> None:
    for scene in range(5):
        write_pairs(folder.images, f"cat/{scene}/in/{{n}}.png", f"cat/{scene}/gts/{{n}}.png", 2)
    write_image(folder.images / "dog/x.png")
    (said,) = (note for note in folder.prepare(val=0.4).info.notes if "hold masks" in note)
    assert said.startswith("5 folders hold masks") and f"--masks {folder.images} would" in said


def write_drawing(path: Path, size: tuple[int, int] = SIZE) -> None:
    """Two values, a different one for each name."""
    pixels = np.random.default_rng([*str(path.name).encode()]).integers(0, 2, size[::-1]).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels * 255).save(path)


@pytest.mark.parametrize("second", ["photos", "flat icons", "drawings", "drawings of another size", "depths"])
def test_images_of_the_same_names_stay_images(folder: Folder, second: str) -> None:
    """Classes whose images are numbered alike, of which those of one may have few values, as the moon at night has."""
    for n in range(4):
        write_image(folder.images / f"a/{n}.png")
        place = folder.images / f"b/{n}.png"
        match second:
            case "photos":
                write_image(place, seed=1)
            case "flat icons":
                write_mask(place, 255)
            case "drawings":
                write_drawing(place)
                write_drawing(folder.images / f"a/{n}.png")
            case "depths":
                place.parent.mkdir(exist_ok=True)
                deep = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE[::-1]) * 7 + 256
                Image.fromarray(deep + n).save(place)
            case _:
                write_drawing(place, (20, 20))
    prepared = folder.prepare(val=0.4)
    assert prepared.info.classes == ("a", "b") and len(prepared.samples) == 8


def test_images_that_are_named_as_masks_are_told(folder: Folder) -> None:
    write_images(
        folder.images, [f"{of}/{n}{end}.png" for of in ("cat", "dog") for n in range(3) for end in ("", "_label")]
    )
    prepared = folder.prepare(val=0.4)
    assert len(prepared.samples) == 12
    assert any("6 images are named as masks of others are" in note for note in prepared.info.notes)


def test_two_views_stay_images(folder: Folder) -> None:
    write_images(
        folder.images, [f"{of}/{n}_{side}.jpg" for of in ("cat", "dog") for n in range(3) for side in ("l", "r")]
    )
    assert len(folder.prepare(val=0.4).samples) == 12


def test_white_shows_the_one_tag_of_an_image(folder: Folder) -> None:
    for n in range(3):
        for tag in ("benign", "malignant"):
            write_image(folder.images / f"{tag}/{tag} ({n}).png")
            write_mask(folder.images / f"{tag}/{tag} ({n})_mask.png", 255)
        write_image(folder.images / f"normal/normal ({n}).png")
        write_mask(folder.images / f"normal/normal ({n})_mask.png", 0)
    prepared = folder.prepare(masks=folder.images, val=0.4)
    assert any("0 and 255, which is taken for the one tag" in note for note in prepared.info.notes)
    for sample in prepared.samples:
        assert sample.mask is not None
        held = {*np.asarray(Image.open(sample.mask)).ravel().tolist()}
        assert held == ({0} if "normal" in sample.id else {0, *sample.tags})


def test_white_of_an_image_of_two_tags_is_asked_for(folder: Folder) -> None:
    names = write_pairs(folder.images, "{n}.jpg", "{n}_mask.png", 3)
    tags = ["cat;dog", "cat", "dog"]
    table = write(
        folder.path / "t.csv", "image,tags\n" + "".join(f"{n},{t}\n" for n, t in zip(names, tags, strict=True))
    )
    with pytest.raises(WsssError, match="hold only 0 and 255, but there are 2 classes"):
        folder.prepare(tags=(table,), masks=folder.images)


def test_masks_that_cannot_be_read_are_what_is_told(folder: Folder) -> None:
    write_pairs(folder.images, "in/{n}.png", "annotated/{n}.png", 3)
    for n in range(3):
        write_mask(folder.images / f"annotated/{n}.png", (255, 0, 0))
    with pytest.raises(WsssError, match="is a colour-coded mask") as caught:
        folder.prepare(masks=folder.images / "annotated", tags_from_masks=True)
    assert "--mask-values '#000000=background,#ff0000=NAME'" in str(caught.value.remedy)


def test_masks_deep_in_their_folder(folder: Folder) -> None:
    """BDD100K's: images/10k/train/a.jpg and labels/sem_seg/masks/train/a.png."""
    for split in ("train", "val"):
        write_images(folder.images / "10k" / split, ("a.jpg", "b.jpg"))
        for name in "ab":
            write_mask(folder.path / f"labels/sem_seg/masks/{split}/{name}.png", 1 if split == "train" else 2)
    prepared = folder.prepare(masks=folder.path / "labels", tags_from_masks=True)
    assert tags_of(prepared, folder.images) == {
        f"10k/{s}/{n}.jpg": (v,) for s, v in (("train", "1"), ("val", "2")) for n in "ab"
    }


@pytest.mark.parametrize(
    ("masks", "images", "rule"),
    [
        ("1_gt 2_gt", "1_train 2_train", Rule(("", "_gt"), ("", "_train"))),
        ("a/1_GT b/2_GT", "a/1 b/2", Rule(("", "_GT"))),
        ("gt1 gt2", "i1 i2", Rule(("gt", ""), ("i", ""))),
        ("m1 m2", "i1 i2", None),  # m is not what masks are called
        ("1.a.l 2.a.l", "1.a 2.a", Rule(("", ".l"))),
        ("1 2", "1 2", None),
        ("1_a 2_b", "1 2", None),  # one each: no rule
        ("cat_1 dog_2", "3 4", None),
        ("", "", None),
    ],
)
def test_the_rule_of_names(masks: str, images: str, rule: Rule | None) -> None:
    found: Sequence[Rule] = rules(masks.split(), images.split())
    assert (found[0] if found else None) == rule


def test_what_is_like_a_mask(tmp_path: Path) -> None:
    assert is_like_mask(write_mask(tmp_path / "m.png", 7)) and is_like_mask(write_mask(tmp_path / "m.jpg", 255))
    assert is_like_mask(write_mask(tmp_path / "c.png", (9, 8, 7)))
    assert not is_like_mask(write_image(tmp_path / "i.png"))
    assert not is_like_mask(write(tmp_path / "broken.png", "no picture"))


def write_part(path: Path, box: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = box
    pixels = np.zeros(SIZE[::-1], np.uint8)
    pixels[y0:y1, x0:x1] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


PARTS = [(1, 1, 5, 5), (10, 2, 20, 9), (30, 20, 39, 29)]


@pytest.mark.parametrize(
    ("image", "part"),
    [("{n}/images/{n}.png", "{n}/masks/{k}x.png"), ("b ({n}).png", "b ({n})_mask{k}.png")],
    ids=["a folder for each image", "numbered masks"],
)
def test_masks_of_one_object_each(folder: Folder, image: str, part: str) -> None:
    """As of nuclei (the Data Science Bowl's), and of the images with several lesions of BUSI."""
    for n in range(3):
        write_image(folder.images / image.format(n=n))
        for k, box in enumerate(PARTS):
            write_part(folder.images / part.format(n=n, k=f"_{k}" if k else ""), box)
    found = automatic(folder.images)
    prepared = folder.prepare(**found.model_dump(exclude_unset=True))
    assert any("3 masks are put together of 9 files" in note for note in prepared.info.notes)
    expected = np.zeros(SIZE[::-1], bool)
    for x0, y0, x1, y1 in PARTS:
        expected[y0:y1, x0:x1] = True
    assert len(prepared.samples) == 3
    for sample in prepared.samples:
        assert sample.mask is not None and (np.asarray(Image.open(sample.mask)) == expected).all()


def test_masks_of_several_people_are_not_put_together(folder: Folder) -> None:
    for n in range(3):
        write_image(folder.images / f"{n}.png")
        write_part(folder.images / f"{n}_mask_1.png", PARTS[1])
        write_part(folder.images / f"{n}_mask_2.png", (11, 2, 21, 9))
    with pytest.raises(WsssError, match="overlap, so they are not one object each"):
        folder.prepare(masks=folder.images, tags_from_masks=True)


def test_several_masks_of_ids_are_not_put_together(folder: Folder) -> None:
    write_images(folder.images, ("a.png", "b.png"))
    for name in ("a_mask_1", "a_mask_2", "b_mask"):
        labels = np.zeros(SIZE[::-1], np.uint8)
        labels[:4, :4], labels[5:9, 5:9] = 1, 2
        Image.fromarray(labels).save(folder.images / f"{name}.png")
    with pytest.raises(WsssError, match="is one of 2 masks of its image, but holds more than one object's value"):
        folder.prepare(masks=folder.images, tags_from_masks=True)


@pytest.mark.parametrize("count", [3, 200, 211])
@pytest.mark.parametrize("beside", [False, True], ids=["one folder", "a folder that has no masks"])
def test_masks_that_alternate_with_images(tmp_path: Path, count: int, beside: bool) -> None:
    """However many there are, and of whatever a sample in order would be made."""
    for n in range(count):
        write_image(tmp_path / f"train/{n:05}_sat.jpg", (8, 6))
        write_mask(tmp_path / f"train/{n:05}_mask.png", 255, size=(8, 6))
        if beside:
            write_image(tmp_path / f"test/{n:05}_sat.jpg", (8, 6))
    found = find_pictures(Options(images=tmp_path), tmp_path)
    assert len(found.images) == count * (1 + beside) and all(one.name.endswith("_sat.jpg") for one in found.images)
    assert len(found.twins) == count and not found.unused


def write_flat(path: Path, mean: int, spread: float, size: tuple[int, int] = (64, 48)) -> Path:
    """A photograph of little: fog, night, concrete, water."""
    rng = np.random.default_rng([mean, *path.name.encode()])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.normal(mean, spread, (*size[::-1], 3)).clip(0, 255).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize(("mean", "spread"), [(12, 3.0), (225, 4.0), (120, 6.0)], ids=["night", "fog", "concrete"])
@pytest.mark.parametrize(
    "names", [("a/{}.jpg", "b/{}.jpg"), ("{}_ch01.tif", "{}_ch00.tif"), ("x/{}_label.png", "x/{}.png")]
)
def test_photographs_of_little_stay_images(tmp_path: Path, mean: int, spread: float, names: tuple[str, str]) -> None:
    for n in range(6):
        write_flat(tmp_path / names[0].format(n), mean, spread)
        write_image(tmp_path / names[1].format(n), (64, 48))
    assert len(find_pictures(Options(images=tmp_path), tmp_path).images) == 12


def test_what_annotations_name_is_an_image(folder: Folder) -> None:
    """A diagram and a photograph of one name, and all the masks of a folder."""
    for n in range(3):
        write_image(folder.images / f"{n}.jpg")
        write_mask(folder.images / f"{n}.gif", 255)
    rows = [f"{n}.jpg,cat\n{n}.gif,diagram" for n in range(3)]
    table = write(folder.path / "t.csv", "\n".join(["image,tags", *rows]))
    tags = tags_of(folder.prepare(tags=(table,), val=0.4), folder.images)
    assert tags == {f"{n}.{k}": (tag,) for n in range(3) for k, tag in (("jpg", "cat"), ("gif", "diagram"))}


@pytest.mark.parametrize("image", ["in/{}.png", "in/{}.jpg"])
@pytest.mark.parametrize("named", ["{}.png", "{}.jpg", "{}", "in/{}.png"])
def test_annotations_that_name_images_keep_masks_out(folder: Folder, image: str, named: str) -> None:
    for n in range(3):
        write_image(folder.images / image.format(n))
        write_mask(folder.images / f"in_gt/{n}.png", 255)
    table = write(folder.path / "t.csv", "\n".join(["image,tags", *(f"{named.format(n)},cat" for n in range(3))]))
    assert tags_of(folder.prepare(tags=(table,), val=0.4), folder.images) == {
        image.format(n): ("cat",) for n in range(3)
    }


@pytest.mark.parametrize("option", [{"class_folders": True}, {"defects": "kinds"}])
def test_folders_that_are_said_to_be_classes(folder: Folder, option: dict[str, object]) -> None:
    """Icons, of which those of one class are as the masks of another."""
    for n in range(3):
        write_image(folder.images / f"good/{n}.png")
        write_image(folder.images / f"worn/{n}.png")
        write_mask(folder.images / f"blank/{n}.png", 255)
        write_mask(folder.images / f"worn/{n}_mask.png", 255)
    prepared = folder.prepare(**option, val=0.4)
    assert {sample.id for sample in prepared.samples} == {
        f"{of}__{n}" for of in ("good", "worn", "blank") for n in range(3)
    }


@pytest.mark.parametrize(
    ("images", "masks", "expected"),
    [
        (["siteA_{}"], ["siteB_{}"], {}),
        (["{}_RGB", "{}_NIR"], ["{}_mask"], {}),
        (["left_{}", "right_{}"], ["mask_{}"], {}),
        (
            ["{}_training", "1{}_test"],
            ["{}_manual1", "1{}_manual1"],
            {"{}_training": "{}_manual1", "1{}_test": "1{}_manual1"},
        ),
        (["v1_{}", "v1"], ["v1_mask_{}"], {"v1_{}": "v1_mask_{}"}),
        (["a_{}", "b_{}"], ["a_{}_mask", "c_{}_mask"], {"a_{}": "a_{}_mask"}),
    ],
    ids=["sites", "channels", "views", "splits", "a poster of a video", "others' masks"],
)
def test_whose_mask_it_is(tmp_path: Path, images: list[str], masks: list[str], expected: dict[str, str]) -> None:
    names = list(dict.fromkeys(name.format(n) for name in images for n in range(4)))
    for name in masks:
        for n in range(4):
            write_mask(tmp_path / f"{name.format(n)}.png")
    found = find_masks(tmp_path, Finder([f"{name}.jpg" for name in names]))
    given = {names[n]: [path.stem for path in paths] for n, paths in found.by_image.items()}
    assert given == {image.format(n): [mask.format(n)] for image, mask in expected.items() for n in range(4)}
    assert len(found.lost) == 4 * len(masks) - len(given)


@pytest.mark.parametrize("size", [(20, 20), None], ids=["of another size", "damaged"])
def test_one_spoilt_mask_does_not_make_images_of_the_others(folder: Folder, size: tuple[int, int] | None) -> None:
    write_pairs(folder.images, "cat/{n}.jpg", "cat/{n}_mask.png", 6)
    write_pairs(folder.images, "dog/{n}.jpg", "dog/{n}_mask.png", 6)
    spoilt = write_mask(folder.images / "cat/2_mask.png", 255, size=size or SIZE)
    if not size:
        spoilt.write_bytes(b"no picture")
    assert len(find_pictures(Options(images=folder.images), folder.images).images) == 12


def test_objects_that_lie_on_others_are_refused(folder: Folder) -> None:
    """One would hide the other, or a part of it."""
    write_images(folder.images, ("a.png", "b.png"))
    for name, box, value in (
        ("a_mask_1", (0, 0, 30, 30), 2),
        ("a_mask_2", (4, 4, 8, 8), 1),
        ("b_mask", (0, 0, 9, 9), 1),
    ):
        pixels = np.zeros(SIZE[::-1], np.uint8)
        pixels[box[1] : box[3], box[0] : box[2]] = value
        Image.fromarray(pixels).save(folder.images / f"{name}.png")
    with pytest.raises(WsssError, match="overlap, so they are not one object each"):
        folder.prepare(masks=folder.images, tags_from_masks=True)


def test_objects_in_colours_and_with_rims(folder: Folder) -> None:
    """Each in the colour of its class on black, or with a rim that does not count."""
    write_images(folder.images, ("a.png", "b.png"))
    for stem in "ab":
        write_mask(folder.images / f"{stem}_mask_0.png", (255, 0, 0))
        pixels = np.zeros((*SIZE[::-1], 3), np.uint8)
        pixels[20:28, 30:38] = 0, 255, 0
        pixels[20:28, 29] = 255, 255, 255
        Image.fromarray(pixels).save(folder.images / f"{stem}_mask_1.png")
    table = "#000000=background,#ff0000=cat,#00ff00=dog,#ffffff=ignore"
    prepared = folder.prepare(masks=folder.images, tags_from_masks=True, mask_values=table)
    for sample in prepared.samples:
        assert sample.mask is not None and sample.tags == (1, 2)
        labels = np.asarray(Image.open(sample.mask))
        assert (
            (labels[4:16, 5:25] == 1).all() and (labels[20:28, 30:38] == 2).all() and (labels[20:28, 29] == 255).all()
        )


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("cat/0.jpg dog/1.jpg cow/2.jpg", True),
        ("test_positive/0.jpg test_positive/1.jpg test_negative/0.jpg", True),
        ("train_station/0.jpg dev_board/0.jpg", True),
        ("train_img/0.jpg test_img/0.jpg", False),
        ("train-img/0.jpg val-img/0.jpg test-img/0.jpg", False),
        ("a/images/a.png b/images/b.png", False),
        ("cat/0.jpg", False),
    ],
)
def test_folders_that_are_classes(names: str, classes: bool) -> None:
    assert looks_so(names.split()) == classes


@pytest.mark.parametrize("kind", ["thin lines", "dithered", "many objects", "objects in 16 bits"])
@pytest.mark.parametrize("folder_of", ["cat/masks/{}.png", "cat/gt/{}_label.png", "cat/ground_truth/{}.png"])
def test_folders_that_are_called_so_may_hold_any_masks(folder: Folder, kind: str, folder_of: str) -> None:
    """Vessels, cracks and text are not in areas; instances have more values than classes."""
    y, x = np.indices(SIZE[::-1])
    mask = {
        "thin lines": ((x + y) % 3 == 0) * 255,
        "dithered": ((x + y) % 2) * 255,
        "many objects": x // 6 + 7 * (y // 4),
        "objects in 16 bits": (x // 5 + 8 * (y // 4)) * 5,
    }[kind]
    for n in range(4):
        write_image(folder.images / f"cat/photos/{n}.png")
        write_image(folder.images / f"dog/photos/{n}.png")
        place = folder.images / folder_of.format(n)
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(mask.astype(np.uint16 if "16" in kind else np.uint8)).save(place)
    assert len(folder.prepare(val=0.4).samples) == 8


def test_several_kinds_of_masks_of_an_image(folder: Folder) -> None:
    """As Cityscapes has them: none of them is an image, nor a folder of them a class."""
    for n in range(3):
        write_image(folder.images / f"leftImg8bit/train/ulm/ulm_{n}_leftImg8bit.png")
        for k, kind in enumerate(("labelIds", "instanceIds", "color")):
            write_mask(folder.images / f"gtFine/train/ulm/ulm_{n}_gtFine_{kind}.png", 1 + k)
    found = find_pictures(Options(images=folder.images), folder.images)
    assert [image.name for image in found.images] == [
        f"leftImg8bit/train/ulm/ulm_{n}_leftImg8bit.png" for n in range(3)
    ]
    assert found.unused == (folder.images / "gtFine",)


def test_folders_whose_names_say_nothing_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photographs of many megapixels take long."""
    write_images(tmp_path, [f"{of}/{n}.png" for of in ("cat", "dog", "cow") for n in range(3)])
    monkeypatch.setattr("wsss_folder.few_values.opened", None)
    assert len(find_pictures(Options(images=tmp_path), tmp_path).images) == 9
