"""Data sets as they come, pointed at by their folder alone: by `wsss auto FOLDER`, and by `wsss prepare folder`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tiny_folder import Folder, pascal, tags_of, write, write_image, write_images, write_mask, write_yolo
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_folder.automatic import options
from wsss_folder.name_tags import looks_so, vector_of

NAMES = ("0", "1", "2")
SPLITS = ("train", "val")
Tags = dict[str, tuple[str, ...]]
CAT, DOG = ("cat",), ("dog",)


@dataclass
class Expected:
    """masks  what `auto` takes them from;  root  the folder of the images;  tags  by path;  val  the images of it."""

    root: str
    tags: Tags
    val: frozenset[str] | None = None
    masks: str = ""
    alone: bool = field(default=False)  # nothing but masks


def of_splits(form: str) -> Tags:
    return {form.format(s=split, n=name): DOG if name == "1" else CAT for split in SPLITS for name in NAMES}


def numbered(tags: Tags) -> Tags:
    return {name: ("2",) if of == DOG else ("1",) for name, of in tags.items()}


def write_pairs(path: Path, image: str, mask: str, colours: bool = False) -> None:
    for split in SPLITS:
        for name in NAMES:
            write_image(path / image.format(s=split, n=name))
            value = 1 + (name == "1")
            inside = {1: (128, 0, 0), 2: (0, 128, 0)}[value] if colours else value
            write_mask(path / mask.format(s=split, n=name), inside=inside, outside=(0, 0, 0) if colours else 0)


def voc(path: Path) -> Expected:
    tags: Tags = {f"{n}.jpg": DOG if n % 2 else CAT for n in range(6)}
    write_images(path / "JPEGImages", tags)
    for name, of in tags.items():
        write(path / "Annotations" / f"{name[0]}.xml", pascal(name, [(of[0], (5, 4, 20, 12))]))
    for n in range(4):
        write_mask(path / f"SegmentationClass/{n}.png", inside=1 + n % 2, outside=0)
        write_mask(path / f"SegmentationObject/{n}.png", inside=7, outside=0)
    write(path / "ImageSets/Main/train.txt", "0\n1\n2\n9\n")
    write(path / "ImageSets/Main/val.txt", "3\n4\n5\n")
    write(path / "ImageSets/Main/trainval.txt", "0\n1\n2\n3\n4\n5\n")
    write(path / "ImageSets/Segmentation/train.txt", "0\n1\n")
    write(path / "ImageSets/Segmentation/val.txt", "2\n3\n")
    return Expected("JPEGImages", tags, frozenset({"3.jpg", "4.jpg", "5.jpg"}), "SegmentationClass")


def lists_beside(path: Path) -> Expected:
    names: Tags = {f"{n}.jpg": DOG if n % 2 else CAT for n in range(4)}
    write_images(path / "images", names)
    write_yolo(path / "labels", names)
    write(path / "classes.txt", "dog\ncat\n")
    write(path / "train.txt", "data/images/0.jpg\ndata/images/1.jpg\n")
    write(path / "test.txt", "data/images/2.jpg\ndata/images/3.jpg\n")
    return Expected("images", names, frozenset({"2.jpg", "3.jpg"}))


def kaggle(path: Path) -> Expected:
    tags: Tags = {f"train/{n}.jpg": DOG if n % 2 else CAT for n in range(6)}
    write_images(path, (*tags, "test/0.jpg", "test/7.jpg"))
    write(path / "train.csv", "\n".join(["id,label", *(f"{name[6]},{of[0]}" for name, of in tags.items())]))
    write(path / "sample_submission.csv", "id,label\n0,cat\n7,cat\n")
    return Expected(".", tags | {"test/0.jpg": (), "test/7.jpg": ()})


def folders_of_pairs(path: Path) -> Expected:
    write_pairs(path, "images/{s}/{n}.jpg", "masks/{s}/{n}.png")
    return Expected("images", numbered(of_splits("{s}/{n}.jpg")), None, "masks", alone=True)


def mmsegmentation(path: Path) -> Expected:
    write_pairs(path, "img_dir/{s}/{n}.jpg", "ann_dir/{s}/{n}.png")
    return Expected("img_dir", numbered(of_splits("{s}/{n}.jpg")), None, "ann_dir", alone=True)


def camvid(path: Path) -> Expected:
    write_pairs(path, "{s}/{n}.jpg", "{s}annot/{n}.png")
    return Expected(".", numbered(of_splits("{s}/{n}.jpg")), None, ".", alone=True)


def roboflow_masks(path: Path) -> Expected:
    write_pairs(path, "{s}/{n}.jpg", "{s}/{n}_mask.png")
    for split in SPLITS:
        write(path / split / "_classes.csv", "Pixel Value, Class\n0, background\n1, cat\n2, dog\n")
    return Expected(".", of_splits("{s}/{n}.jpg"), None, ".", alone=True)


def cvat_masks(path: Path) -> Expected:
    write_pairs(path, "JPEGImages/{s}{n}.jpg", "SegmentationClass/{s}{n}.png", colours=True)
    write_pairs(path, "JPEGImages/{s}{n}.jpg", "SegmentationObject/{s}{n}.png", colours=True)
    write(path / "labelmap.txt", "# label:color_rgb:parts:actions\ncat:128,0,0::\ndog:0,128,0::\nbackground:0,0,0::\n")
    return Expected("JPEGImages", of_splits("{s}{n}.jpg"), None, "SegmentationClass", alone=True)


def capitals(path: Path) -> Expected:
    write_images(path / "IMAGES", ("a.jpg", "b.jpg"))
    for name, of in (("a", "cat"), ("b", "dog")):
        write(path / "ANNOTATIONS" / f"{name}.xml", pascal(f"{name}.jpg", [(of, (5, 4, 20, 12))]))
    return Expected("IMAGES", {"a.jpg": CAT, "b.jpg": DOG})


def tissue(path: Path) -> Expected:
    """LUAD-HistoSeg: the tags end the names of what is learnt from, the rest has masks."""
    tags: Tags = {f"train/5-{n}-[{n % 2} {1 - n % 2}].png": ("12"[1 - n % 2],) for n in range(4)}
    write_images(path, (*tags, "val/img/7.png"))
    write_mask(path / "val/mask/7.png", inside=1, outside=0)
    return Expected(".", tags | {"val/img/7.png": ()}, frozenset({"val/img/7.png"}), "val/mask")


LAYOUTS = [
    voc,
    lists_beside,
    kaggle,
    folders_of_pairs,
    mmsegmentation,
    camvid,
    roboflow_masks,
    cvat_masks,
    capitals,
    tissue,
]


def check(prepared: Prepared, root: Path, expected: Expected) -> None:
    assert tags_of(prepared, root) == expected.tags
    if expected.val is not None:
        role = prepared.info.splits["val"]
        assert {s.image.relative_to(root).as_posix() for s in prepared.split(role)} == expected.val


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_a_folder_of_which_nothing_is_said(folder: Folder, layout: Callable[[Path], Expected]) -> None:
    expected = layout(folder.path / "data")
    chosen = options(folder.path / "data")
    assert chosen.tags_from_masks is expected.alone
    assert chosen.masks == (folder.path / "data" / expected.masks if expected.masks else None)
    prepared = folder.prepare(**chosen.model_dump(exclude_unset=True))
    check(prepared, folder.path / "data" / expected.root, expected)
    shown = [read_labels(sample.mask).max() for sample in prepared.samples if sample.mask is not None]
    assert bool(shown) == bool(expected.masks) and set(shown) <= {1, 2}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_without_masks_that_are_asked_for_none_is_used(folder: Folder, layout: Callable[[Path], Expected]) -> None:
    expected = layout(folder.path / "data")
    if expected.alone:
        with pytest.raises(WsssError, match="there is no annotation") as caught:
            folder.prepare(images=folder.path / "data")
        assert (
            "--tags-from-masks" in caught.value.remedy
            and str(folder.path / "data" / expected.masks) in caught.value.remedy
        )
        return
    prepared = folder.prepare(images=folder.path / "data")
    check(prepared, folder.path / "data" / expected.root, expected)
    assert not any(sample.mask for sample in prepared.samples)


def test_where_nothing_is_known_of_a_split_val_is_drawn_from_train(folder: Folder) -> None:
    kaggle(folder.images)
    prepared = folder.prepare()
    splits = {s.id: s.splits[0] for s in prepared.samples}
    assert {name for name, split in splits.items() if split == "test"} == {"test__0", "test__7"}
    assert prepared.info.splits["val"] == "val" and 1 <= len(prepared.split("val")) <= 3
    assert any("nothing is known of the 2 images in test" in note for note in prepared.info.notes)


def test_lists_that_name_less_than_half_are_no_splits(folder: Folder) -> None:
    lists_beside(folder.path)
    write(folder.path / "test.txt", "".join(f"other{n}.jpg\n" for n in range(9)))
    assert any("drawn with seed" in note for note in folder.prepare().info.notes)


@pytest.mark.parametrize(
    ("name", "vector"),
    [
        ("a-[1, 0, 1].png", (1, 0, 1)),
        ("x/a-[1 0].png", (1, 0)),
        ("b+0[1101].png", (1, 1, 0, 1)),
        ("b[1].png", ()),
        ("b[12].png", ()),
        ("b-1 0.png", ()),
        ("[1 0]-b.png", ()),
    ],
)
def test_vectors_in_names(name: str, vector: tuple[int, ...]) -> None:
    assert vector_of(name) == vector


def test_names_that_only_look_so() -> None:
    assert looks_so(["a[10].jpg", "b[01].jpg"])
    assert not looks_so([f"a[{n}].jpg" for n in range(30)]) and not looks_so(["a[10].jpg", "b[101].jpg"])


def test_classes_of_the_vectors_in_names(folder: Folder) -> None:
    write_images(folder.images, ("a[10].png", "b[11].png", "c[01].png"))
    prepared = folder.prepare(tags_in_names=True, classes="tumour,stroma", val=0.4)
    assert tags_of(prepared, folder.images)["b[11].png"] == ("stroma", "tumour")
    assert prepared.info.classes == ("tumour", "stroma")
    with pytest.raises(WsssError, match="the names of the images end in 2 numbers"):
        folder.prepare(tags_in_names=True, classes="a,b,c")
    write_images(folder.path / "other", ("a.png", "b.png"))
    with pytest.raises(WsssError, match=r"no image in .*other has tags in its name"):
        folder.prepare(images=folder.path / "other", tags_in_names=True)


def test_masks_of_many_values_need_names(folder: Folder) -> None:
    for n in range(2):
        write_image(folder.images / f"{n}.jpg")
        write_mask(folder.path / f"masks/{n}.png", inside=200 + n, outside=0)
    with pytest.raises(WsssError, match=r"the masks hold values up to 201, which nothing names: .*200"):
        folder.prepare(masks=folder.path / "masks", tags_from_masks=True)


@pytest.mark.parametrize("white", [1, 255])
def test_masks_of_one_class_without_a_name(folder: Folder, white: int) -> None:
    for n in range(4):
        write_image(folder.images / f"{n}.jpg")
        write_mask(folder.path / f"masks/{n}.png", inside=white, outside=0)
    prepared = folder.prepare(masks=folder.path / "masks", tags_from_masks=True)
    assert prepared.info.classes == ("1",) and all(sample.tags == (1,) for sample in prepared.samples)
    assert any("called by the values of the masks" in note for note in prepared.info.notes)


def test_masks_of_objects_beside_those_of_classes_are_not_used(folder: Folder) -> None:
    """Among the images too, where `auto` takes what it finds."""
    for n in range(4):
        write_image(folder.images / f"{n}.jpg")
        write_mask(folder.images / f"SegmentationClass/{n}.png", inside=1 + n % 2, outside=0)
        write_mask(folder.images / f"SegmentationObject/{n}.png", inside=3, outside=0)
    chosen = options(folder.images)
    assert chosen.masks == folder.images / "SegmentationClass"
    assert folder.prepare(**chosen.model_dump(exclude_unset=True)).info.classes == ("1", "2")


def test_two_masks_of_an_image_are_told(folder: Folder) -> None:
    for n in range(2):
        write_image(folder.images / f"{n}.jpg")
        write_mask(folder.images / f"masks/{n}.png", inside=1, outside=0)
        write_mask(folder.images / f"labels/{n}.png", inside=1, outside=0)
    with pytest.raises(WsssError, match="is a second mask of its image, after"):
        folder.prepare(masks=folder.images, tags_from_masks=True)


def test_tables_of_values_that_differ_are_told(folder: Folder) -> None:
    roboflow_masks(folder.images)
    write(folder.images / "val/_classes.csv", "Pixel Value, Class\n0, background\n1, dog\n2, cat\n")
    with pytest.raises(WsssError, match="what the values of the masks mean differs"):
        folder.prepare(masks=folder.images, tags_from_masks=True)
