"""What the importers make of the many ways to say the same: separators, mask values, names, splits, options."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as run_lengths

from odd_pictures import write_few_bits, write_tiff
from tiny_folder import (
    BOX,
    SIZE,
    Folder,
    sample,
    tags_of,
    write,
    write_coco,
    write_csv,
    write_image,
    write_images,
    write_mask,
    write_yolo,
    yolo_line,
)
from wsss_cli.checks.dataset import Finding
from wsss_cli.data.label_format import BYTE
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.mask_values import COLOUR, parse_values
from wsss_folder.outlines import draw
from wsss_folder.pixel_boxes import pixel_box
from wsss_folder.record import Record, Thing
from wsss_folder.run_lengths import read_runs
from wsss_folder.tags_csv import read_tags
from wsss_folder.yolo_names import read_names

ABC = ("a.jpg", "b.jpg", "c.jpg")


def tags_in(path: Path, text: str, **options: str) -> dict[str, tuple[str, ...]]:
    return {r.names[0]: r.tags for r in read_tags(write(path / "t.csv", text), **options).records}


@pytest.mark.parametrize(
    ("text", "options", "tags"),
    [
        ("image,tags\na,x;y\nb,x", {}, {"a": ("x", "y"), "b": ("x",)}),
        ("image,tags\na,x | y\nb,", {}, {"a": ("x", "y"), "b": ()}),
        ('image,tags\na,"x,y"\n"b",x', {}, {"a": ("x", "y"), "b": ("x",)}),
        ("Image;Labels\na;x,y\n", {}, {"a": ("x", "y")}),
        ("\ufeffpath\tclass\r\na b/ü.jpg\tx\r\n", {}, {"a b/ü.jpg": ("x",)}),
        ("image,tags\na,x y\nb,x\nc,y\n", {}, {"a": ("x", "y"), "b": ("x",), "c": ("y",)}),
        ("image,tags\na,traffic light\nb,car\n", {}, {"a": ("traffic light",), "b": ("car",)}),
        ("image,tags\na,traffic light\n", {"separator": "space"}, {"a": ("traffic", "light")}),
        ("image,tags\na,x;y\n", {"separator": "none"}, {"a": ("x;y",)}),
        ("image,note,tags,kind\na,7,x,q\n", {"tags": "kind"}, {"a": ("q",)}),
        ("photo,tags\na,x\n", {"image": "photo"}, {"a": ("x",)}),
        ("image,u,v,split\na,1,0,train\nb,true,YES,val\nc,0.0,,val\n", {}, {"a": ("u",), "b": ("u", "v"), "c": ()}),
    ],
)  # fmt: skip
def test_tags_in_a_csv(tmp_path: Path, text: str, options: dict[str, str], tags: Mapping[str, tuple[str, ...]]) -> None:
    assert tags_in(tmp_path, text, **options) == tags


def test_rows_of_one_image_are_added_up(folder: Folder) -> None:
    write_images(folder.images, ABC)
    csv = write(folder.path / "t.csv", "image,label\na.jpg,x\na.jpg,y\nb.jpg,x\nc.jpg,y\n")
    assert tags_of(folder.prepare(tags=(csv,)), folder.images)["a.jpg"] == ("x", "y")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.txt", "dog\r\ncat\r\n"),
        ("data.yaml", "names: [dog, cat]"),
        ("data.yaml", "names:\n  0: dog\n  1: cat\n"),
        ("data.yaml", "names: {'1': cat, '0': dog}"),
    ],
)
def test_names_of_yolo(tmp_path: Path, file: str, text: str) -> None:
    assert read_names(write(tmp_path / file, text)) == {0: "dog", 1: "cat"}


def test_yolo_words_that_yaml_takes_for_others(tmp_path: Path) -> None:
    assert read_names(write(tmp_path / "d.yaml", "names: [off, 1, no]")) == {0: "off", 1: "1", 2: "no"}


def test_the_order_of_classes(folder: Folder) -> None:
    write_images(folder.images, ABC)
    labels = write_yolo(folder.path / "labels", {"a.jpg": ("cat",)})
    names = write(folder.path / "n.txt", "dog\ncat\nbird\n")
    given = {"yolo": labels, "names": names}
    assert folder.prepare(**given).info.classes == ("dog", "cat", "bird")
    assert folder.prepare(**given, classes="bird,cat").info.classes == ("bird", "cat")
    many = [f"kind {n}" for n in range(80)]  # as a path too long
    assert folder.prepare(**given, classes=",".join(["bird", "cat", *many])).info.classes[-1] == "kind 79"
    assert folder.prepare(**given, classes=str(write(folder.path / "c.txt", "cat\ndog"))).info.classes == ("cat", "dog")
    assert folder.prepare(**given, classes=str(write(folder.path / "c.yaml", "names: [cat]"))).info.classes == ("cat",)
    csv = write_csv(folder.path / "t.csv", {"b.jpg": ("ant", "dog")})
    assert folder.prepare(**given, tags=(csv,)).info.classes == ("dog", "cat", "bird", "ant")


def test_background_is_no_class(folder: Folder) -> None:
    write_images(folder.images, ABC)
    csv = write_csv(folder.path / "t.csv", {"a.jpg": ("x",), "b.jpg": ("background",), "c.jpg": ("x",)})
    prepared = folder.prepare(tags=(csv,))
    assert prepared.info.classes == ("x",) and tags_of(prepared, folder.images)["b.jpg"] == ()


def test_three_hundred_classes(folder: Folder) -> None:
    write_images(folder.images, ABC)
    many = tuple(f"c{n:03}" for n in range(300))
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, many))
    prepared = folder.prepare(tags=(csv,))
    assert prepared.num_classes == 300 and len(prepared.info.palette) == 301
    assert sample(prepared, "b").tags == tuple(range(1, 301))


def test_masks_of_three_hundred_classes(folder: Folder) -> None:
    write_images(folder.images, ABC)
    many = tuple(f"c{n:03}" for n in range(300))
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, many))
    ids = np.zeros(SIZE[::-1], np.uint16)
    ids[0], ids[1], ids[2] = 255, 300, 65535
    for name, values in (("a", ids), ("b", np.minimum(ids, 255).astype(np.uint8))):
        path = folder.path / f"m/{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(values).save(path)
    prepared = folder.prepare(tags=(csv,), masks=folder.path / "m")
    one, two = (sample(prepared, id).mask for id in "ab")
    assert one == folder.path / "m/a.png" and two is not None and two.is_relative_to(prepared.folder)
    assert (read_labels(one) == ids).all() and (read_labels(two) == np.minimum(ids, 255)).all()
    named = folder.prepare(
        tags=(csv,), masks=folder.path / "m", mask_values="0=background,255=c299,300=c000,65535=ignore"
    )
    labels = read_labels(sample(named, "a").mask)
    assert [labels[row, 0] for row in range(4)] == [300, 1, 65535, 0]


def test_unlabelled_images(folder: Folder) -> None:
    write_images(folder.images, (*ABC, "d.jpg"))
    csv = write_csv(folder.path / "t.csv", {"a.jpg": ("x",), "b.jpg": ("x",), "c.jpg": ()})
    said: list[Finding] = []
    assert len(folder.prepare(tags=(csv,), say=said.append).samples) == 4
    says = "1 of 4 images are not labelled (1 in no annotation): "
    assert any(f.what.startswith(f"{says}kept without tags and mask") for f in said)
    said.clear()
    assert {s.id for s in folder.prepare(tags=(csv,), unlabelled="skip", say=said.append).samples} == {"a", "b", "c"}
    assert any(f.what == f"{says}left out" for f in said)


def split_of(prepared: Any) -> dict[str, tuple[str, ...]]:
    return {s.id: s.splits for s in prepared.samples}


def test_lists_of_splits(folder: Folder) -> None:
    write_images(folder.images, ("a a.jpg", "s/b.jpg", "c.jpg", "d.jpg"))
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(("a a.jpg", "s/b.jpg", "c.jpg", "d.jpg"), ("x",)))
    train = write(folder.path / "lists/train.txt", "a a.jpg\n./s/b\n")
    val = write(folder.path / "lists/validation.txt", "\n/data/images/c.jpg\n")
    both = {"a a": ("train",), "s__b": ("train",), "c": ("val",)}
    assert split_of(folder.prepare(tags=(csv,), split_file=(train, val))) == both
    assert split_of(folder.prepare(tags=(csv,), split_file=(folder.path / "lists",))) == both
    assert split_of(folder.prepare(tags=(csv,), split_file=(val,))) == {**both, "d": ("train",)}
    before = folder.prepare(tags=(csv,), split_file=(train, val))
    assert split_of(folder.prepare(tags=(csv,), split_file=(before.folder,), seed=7)) == both


def test_splits_of_a_data_set_whose_images_were_written_anew(folder: Folder) -> None:
    """Smaller ones for the stages, and 8-bit ones of 16 bits: their photos are meant, whatever their folders."""
    write_images(folder.images, ("s1/t1.png", "s2/t1.png"))
    write_tiff(folder.images / "s1/deep.tif", np.arange(1200, dtype=np.uint16).reshape(30, 40))
    write_tiff(folder.images / "s2/deep.tif", np.arange(1200, dtype=np.uint16).reshape(30, 40)[::-1])
    names = ("s1/t1.png", "s2/t1.png", "s1/deep.tif", "s2/deep.tif")
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(names, ("x",)))
    val = write(folder.path / "val.txt", "s2/t1.png\ns1/deep.tif\n")
    drawn = {"s1__t1": ("train",), "s2__t1": ("val",), "s1__deep": ("val",), "s2__deep": ("train",)}
    before = folder.prepare(tags=(csv,), split_file=(val,), white_level=1200, long_side=20)
    assert split_of(before) == drawn and before.folder / "images" in {s.full.image.parent for s in before.samples}
    again = folder.prepare(tags=(csv,), split_file=(before.folder,), white_level=1200)
    assert split_of(again) == drawn and all(s.original is None for s in again.samples)
    assert split_of(folder.prepare(tags=(csv,), split_file=(again.folder,), white_level=1200)) == drawn


def test_a_column_of_splits(folder: Folder) -> None:
    write_images(folder.images, ABC)
    csv = write(folder.path / "t.csv", "image,tags,Split\na.jpg,x,training\nb.jpg,x,test\nc.jpg,x,\n")
    prepared = folder.prepare(tags=(csv,))
    assert split_of(prepared) == {"a": ("train",), "b": ("test",)}
    assert prepared.info.splits == {"train": "train", "val": "test", "seeds": "train"}
    assert len(split_of(folder.prepare(tags=(csv,), val=0.3))) == 3
    other = write(folder.path / "s.csv", "file_name,set\na.jpg,val\nb.jpg,train\nc.jpg,train\n")
    assert split_of(folder.prepare(tags=(csv,), split_file=(other,)))["a"] == ("val",)


def test_patients_stay_together(folder: Folder) -> None:
    names = [f"p{n // 4}_{n}.png" for n in range(20)]
    write_images(folder.images, names)
    csv = write_csv(folder.path / "t.csv", {name: (("x", "y")[n % 2],) for n, name in enumerate(names)})
    splits = split_of(folder.prepare(tags=(csv,), group_by="^(p[0-9]+)_", val=0.4))
    assert {len({splits[n[:-4]] for n in names if n.startswith(f"p{p}_")}) for p in range(5)} == {1}
    assert sum(of == ("val",) for of in splits.values()) == 8


@pytest.mark.parametrize(
    ("mask", "values", "ids"),
    [
        ({"inside": 255}, "auto", {0, 1}),
        ({"inside": (255, 255, 255)}, "auto", {0, 1}),
        ({"inside": 1, "outside": 255}, "auto", {1, 255}),
        ({"inside": 128, "outside": 3}, "3=background,128=x", {0, 1}),
        ({"inside": (255, 0, 0), "outside": (0, 0, 9)}, "#ff0000=x,0/0/9=ignore", {1, 255}),
        ({"inside": (255, 0, 0), "outside": (0, 0, 0)}, "labelmap.txt", {0, 1}),
    ],
)
def test_mask_values(folder: Folder, mask: dict[str, Any], values: str, ids: set[int]) -> None:
    write_images(folder.images, ABC)
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, ("x",)))
    write_mask(folder.path / "m/a_mask.png", **mask)
    if values == "labelmap.txt":
        text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nx:255,0,0::\n"
        values = str(write(folder.path / values, text))
    path = sample(folder.prepare(tags=(csv,), masks=folder.path / "m", mask_values=values), "a").mask
    labels = read_labels(path)
    assert set(np.unique(labels).tolist()) == ids and labels[BOX[1], BOX[0]] == 1
    assert labels[0, 0] in ids - {1}


@pytest.mark.parametrize("place", ["labelmap.txt", "m/labelmap.txt"])
def test_a_table_beside_the_masks_is_used(folder: Folder, place: str) -> None:
    """CVAT and Datumaro write it above SegmentationClass/, others into the folder of the masks."""
    write_images(folder.images, ABC)
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, ("x",)))
    write_mask(folder.path / "m/a_mask.png", inside=(255, 0, 0), outside=(0, 0, 0))
    write(folder.path / place, "# label:color_rgb:parts:actions\nbackground:0,0,0::\nx:255,0,0::\n")
    prepared = folder.prepare(tags=(csv,), masks=folder.path / "m")
    assert set(np.unique(read_labels(sample(prepared, "a").mask)).tolist()) == {0, 1}
    assert any("what the values of the masks mean is from" in note for note in prepared.info.notes)


@pytest.mark.parametrize("mode", ["P", "1", "I;16", "RGBA", "LA", "tif"])
def test_mask_modes(folder: Folder, mode: str) -> None:
    write_images(folder.images, ABC)
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, ("x",)))
    grey = Image.open(write_mask(folder.path / "grey.png", 1))
    path = folder.path / f"m/a.{'tif' if mode == 'tif' else 'png'}"
    path.parent.mkdir()
    if mode == "P":
        grey.putpalette([0, 0, 0, 200, 10, 10])
    elif mode == "1":
        grey = Image.fromarray(np.asarray(grey).astype(bool))
    elif mode == "I;16":
        grey = Image.fromarray(np.asarray(grey).astype(np.uint16))
    elif mode != "tif":
        grey = grey.convert(mode)
    grey.save(path)
    mask = sample(folder.prepare(tags=(csv,), masks=folder.path / "m"), "a").mask
    assert (mask == path) == (mode in "P1")  # used where it lies
    assert set(np.unique(read_labels(mask)).tolist()) == {0, 1}


@pytest.mark.parametrize("value", [1, 15])
def test_masks_of_4_bits(folder: Folder, value: int) -> None:
    """Ids, or black and white."""
    write_images(folder.images, ABC)
    (folder.path / "m").mkdir()
    values = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    values[BOX[1] : BOX[3], BOX[0] : BOX[2]] = value
    path = write_few_bits(folder.path / "m/a.png", values, 4)
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(ABC, ("x",)))
    for options in ({}, {"mask_values": f"0=background,{value}=x"}):
        prepared = folder.prepare(tags=(csv,), masks=folder.path / "m", **options)
        mask = sample(prepared, "a").mask
        assert mask is not None and (mask == path) == (value == 1)  # used where it lies
        assert (read_labels(mask) == (values > 0)).all() and prepared.info.classes == ("x",)


def test_a_table_of_mask_values() -> None:
    values = parse_values("0=background, 128 = a b,#010203=c".replace(",#010203=c", ""))
    assert values.names == {0: "background", 128: "a b"} and values.classes == ("a b",)
    assert parse_values("1/2/3=c").names == {COLOUR + 0x010203: "c"}


def test_boxes_hold_their_objects() -> None:
    def box(*corners: float, relative: bool = False) -> Box:
        return pixel_box(Thing("x", corners, relative), 1, Record(("a",), "f"), 100, 50)  # type: ignore[arg-type]

    assert box(1.2, 2.9, 3.1, 4.0) == Box(1, 1, 2, 4, 4)
    assert box(-3, 10, 130, 60) == Box(1, 0, 10, 100, 50)
    assert box(0.1, 0.2, 0.5, 0.4, relative=True) == Box(1, 10, 10, 50, 20)
    assert box(9.999999, 9.97, 20.000001, 20.03) == Box(1, 10, 10, 20, 20)
    with pytest.raises(WsssError, match="lies outside"):
        box(100, 0, 110, 10)


def decoded(rle: Any) -> Any:
    """As pycocotools decodes it, which warns with numpy 2."""
    with warnings.catch_warnings(action="ignore"):
        return run_lengths.decode(rle)


def test_run_lengths_as_pycocotools_reads_them() -> None:
    rng = np.random.default_rng(0)
    for size in ((1, 1), (7, 5), (90, 130)):
        for share in (0.0, 0.001, 0.3, 0.9, 1.0):
            rle = run_lengths.encode(np.asfortranarray(rng.random(size) < share, np.uint8))
            assert (read_runs(rle).pixels() == decoded(rle)).all()
            assert (read_runs({**rle, "counts": rle["counts"].decode()}).pixels() == decoded(rle)).all()
    with pytest.raises(ValueError, match="no run lengths"):
        read_runs({**rle, "counts": rle["counts"][:-1]})
    with pytest.raises(ValueError, match="not those of 130 x 90"):
        read_runs({**rle, "counts": [90 * 130 - 1]})


def test_outlines_as_pycocotools_draws_them() -> None:
    polygon = (3.5, 2.0, 30.2, 5.5, 12.0, 25.0)
    h, w = 30, 40
    other = np.zeros((h, w), np.uint8, order="F")
    other[10:20, 5:15] = 1
    things = (
        Thing("b", (0, 0, 1, 1), rle=read_runs(run_lengths.encode(other))),
        Thing("a", (0, 0, 1, 1), relative=True, polygons=(tuple(v / s for v, s in zip(polygon, (w, h) * 3)),)),
        Thing("a", (0, 0, 1, 1), polygons=((0, 0, 40, 0, 40, 30, 0, 30),), crowd="ignore"),
    )
    drawn = draw([Record(("i",), "f", things=things)], {"a": 1, "b": 2}, w, h)
    expected = np.full((h, w), BYTE.ignore, np.uint8)
    expected[other > 0] = 2
    expected[decoded(run_lengths.frPyObjects([list(polygon)], h, w)[0]) > 0] = 1
    assert (drawn == expected).all()


def test_yolo_outlines_and_empty_labels(folder: Folder) -> None:
    write_images(folder.images, ABC)
    labels = folder.path / "labels"
    write(labels / "classes.txt", "x")
    write(labels / "a.txt", "0 0.1 0.1 0.5 0.1 0.5 0.5\n\n" + yolo_line(0) + "\n" + yolo_line(0))
    write(labels / "b.txt", "")
    prepared = folder.prepare()
    assert sample(prepared, "a").boxes == (Box(1, 4, 3, 20, 15), Box(1, *BOX))
    assert sample(prepared, "b").tags == sample(prepared, "c").tags == ()
    w, h = SIZE
    assert sample(prepared, "a").width == w and sample(prepared, "a").height == h


def test_coco_run_lengths_and_categories_without_a_box(folder: Folder) -> None:
    write_images(folder.images, ABC)
    h, w = SIZE[1], SIZE[0]
    counts = [3 * h + 2, 5, h * w - 3 * h - 7]  # column 3, rows 2..6
    annotations = [
        {"id": 0, "image_id": 0, "category_id": 3, "segmentation": {"size": [h, w], "counts": counts}},
        {"id": 1, "image_id": 0, "category_id": 7},
        {"id": 2, "image_id": 1, "category_id": 3, "segmentation": [[0, 0, 9, 0, 9, 9]]},
    ]
    path = write_coco(folder.path / "c.json", dict.fromkeys(ABC, ()), annotations=annotations)
    prepared = folder.prepare(coco=(path,), masks_from_shapes=True)
    one = sample(prepared, "a")
    assert one.tags == (1, 2) and one.boxes == (Box(1, 3, 2, 4, 7),)
    assert one.mask is None  # one of its objects has no outline
    assert set(np.unique(read_labels(sample(prepared, "b").mask))) == {0, 1}
    assert sample(prepared, "c").mask is None  # without an annotation


def test_images_turned_by_exif_and_ids_of_twins(folder: Folder) -> None:
    path = write_image(folder.images / "a.jpg")
    with Image.open(path) as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.rotate(90, expand=True).save(path, exif=exif)
    write_image(folder.images / "a.png")
    labels = folder.path / "labels"
    write(labels / "classes.txt", "x")
    write(labels / "a.jpg.txt", yolo_line(0))
    prepared = folder.prepare(yolo=labels)
    assert {s.id: (s.width, s.height, len(s.boxes)) for s in prepared.samples} == {
        "a.jpg": (*SIZE, 1),
        "a.png": (*SIZE, 0),
    }
