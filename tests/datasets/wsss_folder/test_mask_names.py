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
from wsss_folder.few_values import has_few_values

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
    "folders of the same kind in both": ("in/{n}/x.png", "out/{n}/x.png", "out"),
    "DeepGlobe": ("train/{n}_sat.jpg", "train/{n}_mask.png", ""),
    "GlaS": ("train_{n}.bmp", "train_{n}_anno.bmp", ""),
    "iSAID": ("P{n:04}.png", "P{n:04}_instance_color_RGB.png", ""),
    "magnetic tiles": ("MT_Blowhole/Imgs/exp1_{n}.jpg", "MT_Blowhole/Imgs/exp1_{n}.png", ""),
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
        write_pairs(folder.images, f"cat/{scene}/in/{{n}}.png", f"cat/{scene}/out/{{n}}.png", 2)
    write_image(folder.images / "dog/x.png")
    (said,) = (note for note in folder.prepare(val=0.4).info.notes if "hold masks" in note)
    assert said.startswith("5 folders hold masks") and f"--masks {folder.images} would" in said


def write_drawing(path: Path, size: tuple[int, int] = SIZE) -> None:
    """Two values, a different one for each name."""
    pixels = np.random.default_rng([*str(path.name).encode()]).integers(0, 2, size[::-1]).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels * 255).save(path)


@pytest.mark.parametrize("second", ["photos", "drawings", "drawings of another size", "depths"])
def test_images_of_the_same_names_stay_images(folder: Folder, second: str) -> None:
    """Classes whose images are numbered alike, of which those of one may have few values."""
    for n in range(4):
        write_image(folder.images / f"a/{n}.png")
        place = folder.images / f"b/{n}.png"
        match second:
            case "photos":
                write_image(place, seed=1)
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
    write_pairs(folder.images, "in/{n}.png", "out/{n}.png", 3)
    for n in range(3):
        write_mask(folder.images / f"out/{n}.png", (255, 0, 0))
    with pytest.raises(WsssError, match="is a colour-coded mask") as caught:
        folder.prepare(masks=folder.images / "out", tags_from_masks=True)
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
        ("1_man 2_man", "1_train 2_train", Rule(("", "_man"), ("", "_train"))),
        ("a/1_man b/2_man", "a/1 b/2", Rule(("", "_man"))),
        ("m1 m2", "i1 i2", Rule(("m", ""), ("i", ""))),
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


def test_what_has_few_values(tmp_path: Path) -> None:
    assert has_few_values(write_mask(tmp_path / "m.png", 7)) and has_few_values(write_mask(tmp_path / "m.jpg", 255))
    assert has_few_values(write_mask(tmp_path / "c.png", (9, 8, 7)))
    assert not has_few_values(write_image(tmp_path / "i.png"))
    assert not has_few_values(write(tmp_path / "broken.png", "no picture"))


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
