"""Whatever is wrong with a file is told by its name, and line or key, in one message; nothing is half-written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiny_folder import (
    Folder,
    cvat,
    pascal,
    write,
    write_coco,
    write_csv,
    write_image,
    write_images,
    write_label_studio,
    write_mask,
    write_yolo,
)
from wsss_cli.errors import WsssError

Refused = Callable[..., WsssError]
THREE = {"a.jpg": ("cat",), "b.png": ("dog",), "s/é.jpg": ("cat",)}


@pytest.fixture
def refused(folder: Folder) -> Refused:
    """Prepare the three images with options; it must fail, name the file, say what to do, and leave nothing."""
    write_images(folder.images, THREE)

    def refused(says: str, file: Path | str, **options: Any) -> WsssError:
        with pytest.raises(WsssError, match=says) as caught:
            folder.prepare(**options)
        assert str(file) in caught.value.what and caught.value.remedy
        assert not list(folder.path.glob("data/*")) and not list(folder.path.glob("data/.*"))
        return caught.value

    return refused


CSV = {
    "empty": ("", "is empty"),
    "no header": ("a.jpg,cat\nb.png,dog\n", "has no header: its first line names the image 'a.jpg'"),
    "no image column": ("picture,tags\na.jpg,cat\n", "has no column for the image; its columns: picture, tags"),
    "no tags": ("image\na.jpg\n", "has no column for the tags"),
    "unknown image": ("image,tags\na.jpg,cat\nb.jpeg2,dog\n", "line 3: there is no image 'b.jpeg2'"),
    "one cell too many": ("image,tags\na.jpg,cat,dog\n", "line 2: 3 cells, but the header has 2"),
    "no image": ("image,tags\na.jpg,cat\n,dog\n", "line 3: the column 'image' is empty"),
    "not one-hot": ("image,cat,dog\na.jpg,1,0\nb.png,0,7\n", "line 3: column 'dog' holds '7', neither 0 nor 1"),
    "column twice": ("image,cat,cat\na.jpg,1,0\n", "line 1: the column 'cat' is there twice"),
    "open quote": ('image,tags\na.jpg,"cat\n', "line 2 is no CSV"),
    "two separators": ('image,tags\na.jpg,"cat;dog"\nb.png,cat|dog\n', r"hold ';' and '\|': which of them separates"),
    "no class": ("image,tags\na.jpg,\n", "the annotations name no class"),
}


@pytest.mark.parametrize(("text", "says"), CSV.values(), ids=CSV)
def test_tags_csv(folder: Folder, refused: Refused, text: str, says: str) -> None:
    path = write(folder.path / "täg s.csv", text)
    refused(says, "" if "name no class" in says else path, tags=(path,))


def test_a_csv_that_is_not_utf8(folder: Folder, refused: Refused) -> None:
    path = folder.path / "tags.csv"
    path.write_bytes("image,tags\na.jpg,Bär\n".encode("latin-1"))
    refused(r"is no UTF-8 text \(byte 18\)", path, tags=(path,))


def test_an_unknown_class_with_the_nearest(folder: Folder, refused: Refused) -> None:
    path = write_csv(folder.path / "tags.csv", {**THREE, "b.png": ("dgo",)})
    refused("line 3: unknown class 'dgo'; did you mean 'dog'", path, tags=(path,), classes="cat,dog")


def test_columns_that_are_not_there(folder: Folder, refused: Refused) -> None:
    path = write_csv(folder.path / "tags.csv", THREE)
    refused("has no column 'tag'; did you mean 'tags'", path, tags=(path,), tags_column="tag")


def test_an_ambiguous_name(folder: Folder, refused: Refused) -> None:
    write_image(folder.images / "t/é.jpg")
    path = write_csv(folder.path / "tags.csv", {"a.jpg": ("cat",), "é.jpg": ("dog",)})
    refused("line 3: 'é.jpg' could mean 's/é.jpg', 't/é.jpg'", path, tags=(path,))


def coco(**change: Any) -> dict[str, Any]:
    """A COCO JSON of one image with one object, changed by key as in images__file_name=..."""
    content: dict[str, Any] = {
        "images": [{"id": 4, "file_name": "a.jpg", "width": 40, "height": 30}],
        "annotations": [{"id": 9, "image_id": 4, "category_id": 1, "bbox": [5, 4, 20, 12]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    for key, value in change.items():
        part, _, name = key.partition("__")
        if name and value is None:
            del content[part][0][name]
        elif name:
            content[part][0][name] = value
        else:
            content[part] = value
    return content


COCO = {
    "no list": (coco(annotations={}), 'it has no list "annotations"'),
    "a list": ([], 'it has no list "images"'),
    "no file name": (coco(images__file_name=None), r'images\[0\] has no "file_name"'),
    "no such file": (coco(images__file_name="aa.jpg"), "image 4: there is no image 'aa.jpg'; did you mean 'a.jpg'"),
    "no such image": (coco(annotations__image_id=5), 'annotation 9: "image_id" is 5, which is not in "images"'),
    "no such category": (coco(annotations__category_id=[1]), r'"category_id" is \[1\], which is not in "categories"'),
    "another size": (coco(images__width=50), "image 4: is for an image of 50 x 30, but 'a.jpg' is 40 x 30"),
    "three numbers": (coco(annotations__bbox=[1, 2, 3]), "annotation 9: its bbox or segmentation cannot be read"),
    "words": (coco(annotations__bbox=["a", 2, 3, 4]), "annotation 9: its bbox or segmentation cannot be read"),
    "outside": (coco(annotations__bbox=[41, 2, 3, 4]), r"'cat' \(41, 2, 44, 6\) lies outside the image of 40 x 30"),
    "inverted box": (coco(annotations__bbox=[4, 2, -1, 4]), "is inverted or empty"),
    "image twice": (
        coco(images=[{"id": 4, "file_name": "a.jpg"}, {"id": "4", "file_name": "b.png"}]),
        "two images have the id 4: 'a.jpg' and 'b.png'",
    ),
    "category twice": (
        coco(categories=[{"id": 1, "name": "cat"}, {"id": 1.0, "name": "dog"}]),
        "two categories have the id 1: 'cat' and 'dog'",
    ),
    "panoptic": (coco(annotations=[{"image_id": 4, "segments_info": []}]), "is a panoptic JSON"),
    "captions": (coco(annotations=[{"image_id": 4, "caption": "a cat"}]), "is a JSON of captions"),
    "results": ([{"image_id": 4, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}], "is a list of COCO results"),
    "test set": ({"images": [], "categories": []}, 'has images but no list "annotations"'),
    "not finite": (coco(annotations__bbox=[4, 2, float("nan"), 4]), "is not finite"),
    "short counts": (
        coco(annotations__segmentation={"size": [30, 40], "counts": [10, 5]}),
        "annotation 9: .* its counts are not those of 40 x 30 pixels",
    ),
}


@pytest.mark.parametrize(("content", "says"), COCO.values(), ids=COCO)
def test_coco(folder: Folder, refused: Refused, content: Any, says: str) -> None:
    path = write(folder.path / "coco.json", json.dumps(content))
    refused(says, path, coco=(path,))


@pytest.mark.parametrize("option", ["coco", "label_studio"])
def test_a_truncated_json(folder: Folder, refused: Refused, option: str) -> None:
    whole = write_coco(folder.path / "coco.json").read_text(encoding="utf-8")
    path = write(folder.path / "cut.json", whole[: len(whole) // 2])
    refused(r"is no JSON: .*line 1 column \d+", path, **{option: (path,)})


def test_an_outline_of_two_points(folder: Folder, refused: Refused) -> None:
    path = write(folder.path / "coco.json", json.dumps(coco(annotations__segmentation=[[1, 1, 5, 5]])))
    assert len(folder.prepare(coco=(path,), skip_bad=True).samples) == 3
    (folder.path / "data/folder").rename(folder.path / "away")
    (folder.path / "data/latest").unlink()
    refused("no image has outlines of all its objects", "", coco=(path,), masks_from_shapes=True)


YOLO = {
    "four numbers": ("0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2\n", "line 2: 4 numbers, but a box has 5"),
    "even outline": ("0 .1 .1 .5 .1 .5 .5 .1\n", "line 1: 8 numbers"),
    "class": ("2 0.5 0.5 0.2 0.2\n", r"line 1: class 2 is not in 0\.\.1"),
    "half a class": ("0.5 0.5 0.5 0.2 0.2\n", r"class 0.5 is not in 0\.\.1"),
    "pixels": ("0 120 80 40 40\n", r"line 1: 120 is not in 0\.\.1"),
    "not a number": ("0 nan 0.5 0.2 0.2\n", r"line 1: nan is not in 0\.\.1"),
    "words": ("dog 0.5 0.5 0.2 0.2\n", "line 1: 'dog 0.5 0.5 0.2 0.2' are not all numbers"),
    "no key points": ("0 0.5 0.5 0.2 0.2 0.5 0.5 2 0.4 0.4 2\n", r"line 1: 2 is not in 0\.\.1"),
    "beyond": ("0 0.2 0.2 1.02 0.2 0.9 0.9\n", r"line 1: 1.02 is not in 0\.\.1"),
}


@pytest.mark.parametrize(("text", "says"), YOLO.values(), ids=YOLO)
def test_yolo(folder: Folder, refused: Refused, text: str, says: str) -> None:
    labels = write_yolo(folder.path / "labels", THREE)
    write(labels / "classes.txt", "dog\ncat\n")
    path = write(labels / "s/é.txt", text)
    refused(says, path, yolo=labels)


NAMES = {
    "classes.txt": ("dog\n\ncat\n", "the name of class 1 is empty"),
    "names.txt": ("dog\ndog\n", "the class 'dog' is there twice"),
    "data.yaml": ("train: images\n", "has no list or mapping 'names'"),
    "data.yml": ("names: [dog, cat\n", "is no YAML"),
}


@pytest.mark.parametrize("file", NAMES)
def test_names_of_yolo(folder: Folder, refused: Refused, file: str) -> None:
    labels = write_yolo(folder.path / "labels", THREE)
    refused("the class names of the YOLO labels in .* are missing", labels, yolo=labels)
    text, says = NAMES[file]
    path = write(labels / file, text)
    refused(says, path, yolo=labels)


def test_a_label_without_its_image(folder: Folder, refused: Refused) -> None:
    labels = write_yolo(folder.path / "labels", {**THREE, "s/more.jpg": ("dog",)})
    write(labels / "classes.txt", "dog\ncat\n")
    refused("there is no image 's/more'", labels / "s/more.txt", yolo=labels)


PASCAL = {
    "cut": ("<annotation><object>", "is no XML: .*line 1"),
    "root": ("<annotations/>", "is no Pascal annotation: its root is <annotations>"),
    "no name": (pascal("a.jpg", [("", (1, 1, 5, 5))]), "an <object> has no <name>"),
    "missing": (
        pascal("a.jpg", [("cat", ("", 1, 5, 5))]),
        "the box or outline of 'cat' cannot be read: <xmin> is missing",
    ),
    "inverted": (pascal("a.jpg", [("cat", (9, 1, 5, 5))]), r"the box of 'cat' \(8, 0, 5, 5\) is inverted or empty"),
    "size": (pascal("a.jpg", [], (30, 40)), "is for an image of 30 x 40, but 'a' is 40 x 30"),
    "bomb": ('<!DOCTYPE a [<!ENTITY b "bb">]><annotation>&b;</annotation>', "declares a document type"),
}


@pytest.mark.parametrize(("text", "says"), PASCAL.values(), ids=PASCAL)
def test_pascal(folder: Folder, refused: Refused, text: str, says: str) -> None:
    path = write(folder.path / "xml/a.xml", text)
    refused(says, path, xml=folder.path / "xml", classes="cat")


def task(value: Any, kind: str = "rectanglelabels", image: str = "/data/upload/1/0a1b2c3d-a.jpg") -> list[Any]:
    result = {"type": kind, "value": value, "original_width": 40, "original_height": 30}
    return [{"id": 7, "data": {"image": image}, "annotations": [{"result": [result]}]}]


LABEL_STUDIO = {
    "mapping": ({}, "is no Label Studio export: it is not a list of tasks"),
    "JSON-MIN": ([{"id": 1, "image": "a.jpg", "choice": "cat"}], 'its tasks have no "data"'),
    "no image": (task({}, image="hello"), "task 7 has no image in its data"),
    "unknown image": (task({}, image="/data/upload/1/0a1b2c3d-z.jpg"), "task 7: there is no image 'z.jpg'"),
    "no height": (task({"radiusX": 1, "ellipselabels": ["cat"]}, "ellipselabels"), "task 7: a result cannot be read"),
    "words": (
        task({"points": [[1, "x"]], "polygonlabels": ["cat"]}, "polygonlabels"),
        "task 7: a result cannot be read",
    ),
}


@pytest.mark.parametrize(("content", "says"), LABEL_STUDIO.values(), ids=LABEL_STUDIO)
def test_label_studio(folder: Folder, refused: Refused, content: Any, says: str) -> None:
    path = write(folder.path / "ls.json", json.dumps(content))
    refused(says, path, label_studio=(path,), classes="cat")


CVAT = {
    "cut": ("<annotations><image", "is no XML"),
    "root": ("<annotation/>", "is no CVAT export: its root is <annotation>"),
    "video": ("<annotations><track/></annotations>", "is an export of tracks in a video"),
    "no name": ('<annotations><image id="3"/></annotations>', "image 3 has no name"),
    "unknown image": (cvat({"z.jpg": ""}), "image 0: there is no image 'z.jpg'"),
    "no corner": (
        cvat({"a.jpg": '<box label="cat" xtl="1" ytl="2" xbr="9"/>'}),
        "<box> of 'cat' cannot be read: ybr is",
    ),
    "points": (cvat({"a.jpg": '<polygon label="cat" points="1;2"/>'}), "<polygon> of 'cat' cannot be read"),
    "mask": (
        cvat({"a.jpg": '<mask label="cat" rle="0, 5" left="3" top="2" width="2" height="3"/>'}),
        "<mask> of 'cat' cannot be read: its run lengths cover 5 pixels, not 2 x 3",
    ),
    "mask beyond": (
        cvat({"a.jpg": '<mask label="cat" rle="0, 6" left="39" top="2" width="2" height="3"/>'}),
        "it goes beyond the image of 40 x 30",
    ),
    "size": (cvat({"a.jpg": ""}, size=(4, 3)), "is for an image of 4 x 3, but 'a.jpg' is 40 x 30"),
    "bomb": ('<!DOCTYPE a [<!ENTITY b "bb">]><annotations>&b;</annotations>', "declares a document type"),
}


@pytest.mark.parametrize(("text", "says"), CVAT.values(), ids=CVAT)
def test_cvat(folder: Folder, refused: Refused, text: str, says: str) -> None:
    path = write(folder.path / "cvat.xml", text)
    refused(says, path, cvat=(path,))


LABELME = {
    "cut": ('{"shapes": [', "is no JSON"),
    "no label": ('{"shapes": [{"points": [[1, 1], [5, 5], [1, 5]]}]}', "a shape cannot be read: it has no label"),
    "two points": ('{"shapes": [{"label": "cat", "points": [[1, 1], [5, 5]]}]}', "the polygon of 'cat' has 2 points"),
    "unknown": (
        '{"shapes": [{"label": "cat", "points": [[1, 1], [5, 5]], "shape_type": "cube"}]}',
        "a shape of the unknown type 'cube'",
    ),
    "size": ('{"shapes": [], "imageWidth": 30, "imageHeight": 40}', "is for an image of 30 x 40"),
}


@pytest.mark.parametrize(("text", "says"), LABELME.values(), ids=LABELME)
def test_labelme(folder: Folder, refused: Refused, text: str, says: str) -> None:
    path = write(folder.path / "json/a.json", text)
    refused(says, path, labelme=folder.path / "json", classes="cat")


def via(attributes: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    region = {"shape_attributes": shape, "region_attributes": attributes}
    return {"a.jpg9": {"filename": "a.jpg", "size": 9, "regions": [region], "file_attributes": {}}}


RECT = {"name": "rect", "x": 5, "y": 4, "width": 20, "height": 12}
VIA = {
    "another": ({"a": 1}, "is no JSON of VIA"),
    "which": (via({"colour": "red", "size": "big"}, RECT), "several attributes .colour, size.: which is the class"),
    "no width": (via({"class": "cat"}, {"name": "rect", "x": 1, "y": 2}), "a region cannot be read: KeyError"),
}


@pytest.mark.parametrize(("content", "says"), VIA.values(), ids=VIA)
def test_via(folder: Folder, refused: Refused, content: Any, says: str) -> None:
    path = write(folder.path / "via.json", json.dumps(content))
    refused(says, path, via=(path,), classes="cat")


def test_sources_that_are_not_there(folder: Folder, refused: Refused) -> None:
    for option in ("tags", "coco", "label_studio", "cvat", "split_file"):
        path = folder.path / "nowhere"
        tags = {"tags": (write_csv(folder.path / "tags.csv", THREE),)} if option == "split_file" else {}
        refused("nowhere", path, **{option: (path,), **tags})
    for option in ("yolo", "xml"):
        refused("there is no", folder.path / "nowhere", **{option: folder.path / "nowhere"})
        (folder.path / "empty").mkdir(exist_ok=True)
        refused("holds no", folder.path / "empty", **{option: folder.path / "empty"})


def test_images_that_are_not_there(folder: Folder, refused: Refused) -> None:
    refused("there is no folder .*nowhere", "nowhere", images=folder.path / "nowhere")
    (folder.path / "empty").mkdir()
    refused("holds no image", folder.path / "empty", images=folder.path / "empty")


def test_many_problems_are_told_together_and_can_be_skipped(folder: Folder) -> None:
    write_images(folder.images, [f"{n}.jpg" for n in range(12)])
    labels = write_yolo(folder.path / "labels", {f"{n}.jpg": ("cat",) for n in range(12)})
    write(labels / "classes.txt", "dog\ncat\n")
    for n in range(3):
        write(labels / f"{n}.txt", "0 1 2")
    write(labels / "away.txt", "")
    with pytest.raises(WsssError, match="4 problems in the data") as caught:
        folder.prepare()
    assert all(f"labels/{n}.txt, line 1: 3 numbers" in caught.value.what for n in range(3))
    prepared = folder.prepare(skip_bad=True)
    assert len(prepared.samples) == 9 and len((prepared.folder / "skipped.txt").read_text().splitlines()) == 4


def test_a_failure_on_the_command_line_is_one_message(folder: Folder) -> None:
    write_images(folder.images, THREE)
    write_label_studio(folder.path / "ls.json", {**THREE, "lost.jpg": ("cat",)})
    done = folder.wsss("--label-studio", "ls.json")
    assert done.code == 2 and "Traceback" not in done.text and "there is no image 'lost.jpg'" in done.err
    assert not list(folder.path.glob("data/*"))


MASKS = {
    "size": ({"size": (30, 40)}, {}, "is 30 x 40, but its image .*a.jpg is 40 x 30"),
    "value": ({"inside": 7}, {}, "a.png holds 7, which no class has; known: 0, 1, 2, 255"),
    "unlisted": (
        {"inside": 7},
        {"mask_values": "0=background,128=cat"},
        "a.png holds 7, which no class has; known: 0, 128",
    ),
    "colour": ({"inside": (255, 0, 0)}, {}, "is a colour-coded mask"),
    "colour unlisted": (
        {"inside": (255, 0, 0)},
        {"mask_values": "#000000=background,0/0/255=cat"},
        "a.png holds #ff0000, which no class has; known: #000000, #0000ff",
    ),
    "class": ({}, {"mask_values": "0=background,1=cta"}, "unknown class 'cta'; did you mean 'cat'"),
    "item": ({}, {"mask_values": "0=background,cat"}, "'cat' is not VALUE=NAME"),
    "twice": ({}, {"mask_values": "1=cat,1=dog"}, "'1=dog' gives a value a second meaning"),
    "mixed": ({}, {"mask_values": "1=cat,#ff0000=dog"}, "mixes values and colours"),
}


@pytest.mark.parametrize(("made", "options", "says"), MASKS.values(), ids=MASKS)
def test_masks(folder: Folder, refused: Refused, made: dict[str, Any], options: dict[str, Any], says: str) -> None:
    tags = write_csv(folder.path / "tags.csv", THREE)
    write_mask(folder.path / "masks/a.png", **made)
    refused(says, "", tags=(tags,), masks=folder.path / "masks", **options)


def test_mask_files(folder: Folder, refused: Refused) -> None:
    options = {"tags": (write_csv(folder.path / "tags.csv", THREE),), "masks": folder.path / "masks"}
    refused("there is no folder", folder.path / "masks", **options)
    (folder.path / "masks").mkdir()
    refused("holds no mask", folder.path / "masks", **options)
    lost = write_mask(folder.path / "masks/z.png")
    refused("there is no image 'z.png'", lost, **options)
    lost.unlink()
    for name in ("a.png", "a_mask.png"):
        write_mask(folder.path / "masks" / name)
    refused("'a.jpg' has a second mask", folder.path / "masks/a_mask.png", **options)
    (folder.path / "masks/a_mask.png").unlink()
    whole = (folder.path / "masks/a.png").read_bytes()
    (folder.path / "masks/a.png").write_bytes(whole[: len(whole) // 2])
    refused("is damaged", folder.path / "masks/a.png", **options)
    (folder.path / "masks/a.png").unlink()
    refused("is a JPEG, which does not keep class ids", write_mask(folder.path / "masks/a.jpg"), **options)
    (folder.path / "masks/a.jpg").unlink()
    pages = [Image.new("L", (40, 30), value) for value in (0, 1)]
    pages[0].save(folder.path / "masks/a.tif", save_all=True, append_images=pages[1:])
    refused("holds several pages, not one mask", folder.path / "masks/a.tif", **options)
    Image.new("F", (40, 30), 0.5).save(folder.path / "masks/a.tif")
    refused("holds fractions, not class ids", folder.path / "masks/a.tif", **options)
    (folder.path / "masks/a.tif").unlink()
    smeared = np.arange(40 * 30, dtype=np.uint8).reshape(30, 40)
    Image.fromarray(smeared).save(folder.path / "masks/a.png")
    refused("so many are no ids but blurred or smeared ones", folder.path / "masks/a.png", **options)


def test_mask_options_without_masks(folder: Folder, refused: Refused) -> None:
    tags = (write_csv(folder.path / "tags.csv", THREE),)
    refused("--mask-values is given without masks", "", tags=tags, mask_values="1=cat")
    refused("--tags-from-masks is given without masks", "", tags=tags, tags_from_masks=True)
    refused("no image has outlines", "", tags=tags, masks_from_shapes=True)


def test_splits(folder: Folder, refused: Refused) -> None:
    tags = write_csv(folder.path / "tags.csv", THREE)
    lists = write(folder.path / "val.txt", "b.png\nzz.png\n")
    refused("line 2: there is no image 'zz.png'", lists, tags=(tags,), split_file=(lists,))
    refused("--split-file and --val both", "", tags=(tags,), split_file=(lists,), val=0.5)
    refused("is empty", write(folder.path / "val.txt", "\n"), tags=(tags,), split_file=(lists,))
    refused("has no column of splits", tags, tags=(tags,), split_file=(tags,))
    both = [write(folder.path / name, "b.png\n") for name in ("train.txt", "val.txt")]
    refused(r"in split 'train' \(train\) and in split 'val' \(val\): b", "", tags=(tags,), split_file=tuple(both))
    refused("--group-by is for drawing", "val.txt", tags=(tags,), split_file=(lists,), group_by="folder")


def test_class_lists(folder: Folder, refused: Refused) -> None:
    tags = (write_csv(folder.path / "tags.csv", THREE),)
    refused("there is no file classes.txt", "--classes", tags=tags, classes="classes.txt")
    refused("names 'cat' twice", "--classes", tags=tags, classes="cat,dog,cat")


@pytest.mark.parametrize("far", [2**70, -1e12, 5000])
def test_an_outline_that_goes_far_out_of_its_image_costs_the_image(folder: Folder, far: float) -> None:
    """pycocotools would draw all the way."""
    write_images(folder.images, THREE)
    path = write_coco(folder.path / "c.json", THREE)
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"][0][1] = far
    path.write_text(json.dumps(content))
    with pytest.raises(WsssError, match=r"'cat': a polygon goes to .*, far outside the image"):
        folder.prepare(coco=(path,), masks_from_shapes=True)
