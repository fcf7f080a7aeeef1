"""Each layout end to end, by the command that a user types; what lies there is recognised."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tiny_folder import (
    BOX,
    SIZE,
    TAGS,
    Folder,
    cvat,
    tags_of,
    write,
    write_coco,
    write_csv,
    write_cvat,
    write_image,
    write_images,
    write_label_studio,
    write_mask,
    write_pascal,
    write_yolo,
)
from wsss_cli.checks.finding import Finding
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box


def tags_csv(path: Path) -> None:
    write_csv(path / "tags.csv")


def one_hot(path: Path) -> None:
    rows = [f'"{name}",{int("dog" in t)},{int("cat" in t)}' for name, t in TAGS.items()]
    write(path / "table.csv", "\n".join(["file_name,dog,cat", *rows]))


def coco(path: Path) -> None:
    write_coco(path / "annotations/instances.json")


def yolo(path: Path) -> None:
    write(path / "data.yaml", "nc: 2\nnames:\n  0: dog\n  1: cat\n")
    write_yolo(path / "labels")


def yolo_beside(path: Path) -> None:
    write(path / "images/classes.txt", "dog\ncat\n")
    write_yolo(path / "images")


def pascal_xml(path: Path) -> None:
    write_pascal(path / "Annotations")


def label_studio(path: Path) -> None:
    write_label_studio(path / "project-1.json")


def cvat_xml(path: Path) -> None:
    write_cvat(path / "annotations.xml")


LAYOUTS: dict[Callable[[Path], None], tuple[str, tuple[str, ...], bool]] = {
    tags_csv: ("found tags CSV", ("cat", "dog"), False),
    one_hot: ("found one-hot CSV", ("dog", "cat"), False),
    coco: ("found COCO JSON", ("dog", "cat"), True),
    yolo: ("found YOLO labels", ("dog", "cat"), True),
    yolo_beside: ("found YOLO labels", ("dog", "cat"), True),
    pascal_xml: ("found Pascal XML", ("cat", "dog"), True),
    label_studio: ("found Label Studio JSON", ("cat", "dog"), True),
    cvat_xml: ("found CVAT XML", ("dog", "cat"), True),
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_a_layout_is_recognised(folder: Folder, layout: Callable[[Path], None]) -> None:
    write_images(folder.images)
    layout(folder.path)
    found, classes, boxed = LAYOUTS[layout]
    prepared, said = folder.typed()
    nothing = (
        "(1 without an annotation)" if layout in (coco, cvat_xml) else "1 images are annotated as holding no class"
    )
    assert found in said and nothing in said
    assert prepared.info.classes == classes
    assert tags_of(prepared, folder.images) == TAGS
    for sample in prepared.samples:
        assert {b.label for b in sample.boxes} == (set(sample.tags) if boxed else set())
        assert {(b.x0, b.y0, b.x1, b.y1) for b in sample.boxes} <= {BOX}
    assert 1 <= len(prepared.split("val")) <= 3 and len(prepared.samples) == 10


def test_a_folder_per_class(folder: Folder) -> None:
    for name in ("ß cat/a.jpg", "ß cat/more/b.jpg", "dog/a.jpg", "dog/c.png", "dog/d.png"):
        write_image(folder.images / name)
    prepared, said = folder.typed("--val", 0.4)
    assert "found a folder per class" in said and prepared.info.classes == ("dog", "ß cat")
    assert tags_of(prepared, folder.images) == {
        "dog/a.jpg": ("dog",),
        "dog/c.png": ("dog",),
        "dog/d.png": ("dog",),
        "ß cat/a.jpg": ("ß cat",),
        "ß cat/more/b.jpg": ("ß cat",),
    }
    assert "images per class in train/val: dog 2/1, ß cat 1/1" in said


def test_class_folders_below_folders_of_splits(folder: Folder) -> None:
    for name in ("train/cat/a.jpg", "train/dog/b.jpg", "valid/cat/c.jpg"):
        write_image(folder.images / name)
    prepared, said = folder.typed()
    assert {s.id: s.splits for s in prepared.samples} == {
        "train__cat__a": ("train",),
        "train__dog__b": ("train",),
        "valid__cat__c": ("val",),
    }
    assert prepared.info.classes == ("cat", "dog") and "splits from the folders" in said


def test_the_layout_of_roboflow(folder: Folder) -> None:
    """train/images beside train/labels, below one folder with data.yaml."""
    for split in ("train", "valid"):
        write_images(folder.images / split / "images", ["a b.jpg", f"{split}.jpg"])
        write_yolo(folder.images / split / "labels", {"a b.jpg": ("cat",), f"{split}.jpg": ("dog",)})
    write(folder.images / "data.yaml", "train: ../train/images\nnames: ['dog', 'cat']\n")
    write(folder.images / "README.dataset.txt", "made by hand")
    prepared, _ = folder.typed()
    assert {(s.id, s.tags, s.splits) for s in prepared.samples} == {
        ("train__images__a b", (2,), ("train",)),
        ("train__images__train", (1,), ("train",)),
        ("valid__images__a b", (2,), ("val",)),
        ("valid__images__valid", (1,), ("val",)),
    }


def test_the_root_of_a_data_set_will_do(folder: Folder) -> None:
    write_images(folder.path / "images/images", ["a.jpg", "b.jpg", "c.jpg"])
    write_mask(folder.path / "images/masks/a.png")
    write_csv(folder.path / "images/labels.csv", {"a.jpg": ("x",), "b.jpg": ("x",), "c.jpg": ("x",)})
    prepared, said = folder.typed()
    assert len(prepared.samples) == 3 and "masks is not used; --masks" in said


def test_sources_are_added_up(folder: Folder) -> None:
    write_images(folder.images)
    write_csv(folder.path / "more.csv", {"slide 3/w.tif": ("bird",), "a.jpg": ("dog",)})
    write_coco(folder.path / "coco.json")
    refused = folder.wsss()
    assert refused.code == 2 and "there are 2 sources of annotations" in refused.err
    prepared, said = folder.typed("--coco", "coco.json", "--tags", "more.csv")
    assert "the 2 sources are added up" in said
    assert prepared.info.classes == ("dog", "cat", "bird")
    assert tags_of(prepared, folder.images) == TAGS | {"slide 3/w.tif": ("bird",), "a.jpg": ("cat", "dog")}


def test_nothing_there_is_told(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg"])
    refused = folder.wsss()
    assert refused.code == 2 and "there is no annotation in or beside" in refused.err and "--tags" in refused.err


def test_masks_are_for_scores_only(folder: Folder) -> None:
    write_images(folder.images)
    write_csv(folder.path / "tags.csv")
    for name in list(TAGS)[:4]:
        write_mask((folder.path / "gt" / name).with_suffix(".png"), 128)
    prepared, said = folder.typed("--masks", "gt", "--mask-values", "0=background,128=cat,255=ignore", "--val", 0.5)
    assert "4 images have a mask, for scores only" in said
    assert tags_of(prepared, folder.images) == TAGS
    assert prepared.info.masks == "gt" and len(prepared.split("val")) == 2
    assert all(s.mask for s in prepared.split("val"))  # --val draws from images with a mask
    for sample in prepared.samples:
        if sample.mask:
            labels = read_labels(sample.mask)
            x0, y0, x1, y1 = BOX
            assert (labels[y0:y1, x0:x1] == 1).all() and labels.sum() == (x1 - x0) * (y1 - y0)
            assert sample.mask.is_relative_to(prepared.folder)


def test_masks_among_the_images(folder: Folder) -> None:
    for name in ("benign/b (1)", "benign/b (2)", "normal/n (1)", "normal/n (2)"):
        write_image(folder.images / f"{name}.png")
        write_mask(folder.images / f"{name}_mask.png", 255 if "b" in name else 0)
    _, said = folder.typed()
    assert "4 pictures are masks of others, not images" in said
    values = "0=background,255=benign"
    prepared, said = folder.typed("--masks", "images", "--mask-values", values, "--force")
    assert len(prepared.samples) == 4 and "4 images have a mask, for scores only" in said
    assert {s.id: s.mask is not None for s in prepared.samples}["benign__b (1)"]


def test_tags_from_masks_only_if_asked(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg", "c.jpg"])
    for name, value in (("a", 1), ("b", 2), ("c", 255)):
        write_mask(folder.path / f"masks/{name}_mask.png", value)
    assert folder.wsss("--masks", "masks").code == 2
    values = "0=background,1=tumour,2=stroma,255=ignore"
    prepared, said = folder.typed("--masks", "masks", "--tags-from-masks", "--mask-values", values)
    assert "this is not weak supervision" in said
    assert tags_of(prepared, folder.images) == {"a.jpg": ("tumour",), "b.jpg": ("stroma",), "c.jpg": ()}
    assert [s.mask.parent.name for s in prepared.samples if s.mask] == ["masks"] * 3


def test_masks_from_outlines(folder: Folder) -> None:
    write_images(folder.images)
    write_coco(folder.path / "coco.json")
    prepared, said = folder.typed("--coco", "coco.json", "--masks-from-shapes")
    assert prepared.info.masks == "outlines of coco.json" and "9 images have a mask" in said
    x0, y0, x1, y1 = BOX
    for sample in prepared.samples:
        assert (sample.mask is None) == (not sample.tags)
        if sample.mask is None:
            continue
        labels = read_labels(sample.mask)
        assert labels.shape == SIZE[::-1]
        last = min(sample.tags, default=0)  # of two objects in one place the dog comes last
        assert set(labels[y0:y1, x0:x1].ravel().tolist()) == {last}


def test_turned_boxes_and_other_shapes(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    text = cvat(
        {
            "a.jpg": '<box label="dog" xtl="10" ytl="12" xbr="20" ybr="16" rotation="90"/><tag label="cat"/>',
            "b.jpg": '<ellipse label="dog" cx="20" cy="15" rx="8" ry="4"/><points label="cat" points="1,1"/>',
            "c.jpg": '<mask label="cat" rle="0, 12" left="3" top="2" width="4" height="3"/>',
            "d.jpg": "",
        }
    )
    prepared, _ = folder.typed("--cvat", write(folder.path / "x.xml", text))
    by_id = {s.id: s for s in prepared.samples}
    assert by_id["a"].boxes == (Box(1, 13, 9, 17, 19),) and by_id["a"].tags == (1, 2)
    assert by_id["b"].boxes == (Box(1, 12, 11, 28, 19),) and by_id["b"].tags == (1, 2)
    assert by_id["c"].boxes == (Box(2, 3, 2, 7, 5),) and by_id["d"].tags == ()


def test_label_studio_polygons_choices_and_local_files(folder: Folder) -> None:
    write_images(folder.images, ["day 1/a.jpg", "day 2/a.jpg"])
    size = {"original_width": SIZE[0], "original_height": SIZE[1]}
    turned = {"x": 50, "y": 20, "width": 25, "height": 20, "rotation": 90, "rectanglelabels": ["cat"]}
    tasks = [
        {
            "id": 5,
            "data": {"pic": "/data/local-files/?d=images/day%201/a.jpg"},
            "annotations": [
                {"result": [{"type": "choices", "value": {"choices": ["dog", "cat"]}}]},
                {"result": [{"type": "rectanglelabels", "value": turned, **size}]},
            ],
        },
        {
            "id": 6,
            "data": {"pic": "http://host:8080/day%202/a.jpg"},
            "annotations": [
                {
                    "result": [
                        {
                            "type": "polygonlabels",
                            "value": {"points": [[10, 10], [50, 10], [50, 50]], "polygonlabels": ["dog"]},
                            **size,
                        }
                    ]
                }
            ],
        },
    ]
    prepared, _ = folder.typed("--label-studio", write(folder.path / "ls.json", json.dumps(tasks)))
    one, two = sorted(prepared.samples, key=lambda s: s.id)
    assert one.tags == (1, 2) and one.boxes == (Box(1, 14, 6, 20, 16),)  # 10 x 6 turned about its corner (20, 6)
    assert two.tags == (2,) and two.boxes == (Box(2, 4, 3, 20, 15),)


def test_the_same_again_is_the_same(folder: Folder) -> None:
    write_images(folder.images)
    write_csv(folder.path / "tags.csv")
    first, _ = folder.typed()
    second, said = folder.typed()
    assert "is up to date" in said and first == second
    third, _ = folder.typed("--seed", 1, "--name", "folder", "--force")
    assert third.info.hash != first.info.hash


def test_pictures_beside_the_folder_images_are_told(folder: Folder) -> None:
    """Of the folder above it; masks and what was prepared or made here are none."""
    names = ("images/a.jpg", "images/b.jpg", "images/deep/c.jpg", "more/d.jpg", "more/deep/e.jpg", "sky/f.png")
    write_images(folder.path / "pics", names)
    for made in ("masks/a.png", "more/Masks/b.png", "data/x/long_side/a.jpg", "runs/x/irn/one/pictures/a.jpg"):
        write_image(folder.path / "pics" / made)
    for root in ("data", "runs"):
        write(folder.path / "pics" / root / "latest", "x")
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), ("x",)))
    said: list[Finding] = []
    prepared = folder.prepare(images=folder.path / "pics", tags=(csv,), say=said.append)
    assert [s.id for s in prepared.samples] == ["a", "b", "deep__c"]
    told = f"3 picture(s) of {folder.path / 'pics'} are not used, for it has a folder images: more 2, sky 1"
    assert [f.what for f in said if f.level == "warning" and "are not used" in f.what] == [
        f"{told} (move them into {folder.path / 'pics/images'}, or call that otherwise, to have all)"
    ]
    for options in ({"images": folder.path / "pics/images"}, {"images": folder.path / "pics/more"}):
        said.clear()
        names_csv = write_csv(folder.path / "u.csv", {f"{s}.jpg": ("x",) for s in "abcde"})
        folder.prepare(tags=(names_csv,), skip_bad=True, say=said.append, **options)
        assert not any("are not used" in f.what for f in said)
