"""Projects of Supervisely; tool_files/supervisely was written by its SDK (supervisely 6.74.51)."""

import base64
import io
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiny_folder import Folder, sample, write, write_image, write_mask
from tool_files import FILES
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.automatic import options
from wsss_folder.record import Record
from wsss_folder.supervisely import project_of, read_supervisely

PROJECT = FILES / "supervisely"
SIZE = {"height": 30, "width": 40}
META = {"classes": [{"title": "cat", "shape": "any"}, {"title": "dog", "shape": "any"}], "tags": []}


def pixels(record: Record, name: str) -> int:
    return sum(int(t.rle.pixels().sum()) for t in record.things if t.name == name and t.rle)


def test_what_the_sdk_wrote() -> None:
    """A mask with a hole and a lone pixel in the corner, a polygon with a hole, a box; areas are the SDK's."""
    source = read_supervisely(PROJECT)
    first, empty, second = source.records
    assert first.names[0] == "ds1/img/a.png" and second.names[0] == "ds2/img/a.png" and first.size == (40, 30)
    assert {t.name: t.corners for t in first.things} == {
        "cat": (4, 3, 40, 21),
        "dog": (20, 2, 31, 13),
        "box": (5, 15, 15, 25),
        "any": (1, 1, 3, 3),
    }
    assert pixels(first, "cat") == 53 and pixels(first, "dog") == 105
    assert first.tags == ("pt", "ln") and first.shapeless == 2
    assert not empty.things and not empty.unlabelled and source.classes == ("cat", "dog", "box", "pt", "ln", "any")
    assert source.notes == ("tags of images are no tags, since there are objects: outdoor, rain",)


def project(folder: Folder, images: str = "images") -> Path:
    shutil.copytree(PROJECT, folder.path / images)
    for name in ("ds1/img/a", "ds1/img/b", "ds2/img/a"):
        write_image(folder.path / images / f"{name}.png", (40, 30))
    return folder.path / images


def test_a_project_is_found(folder: Folder) -> None:
    root = project(folder)
    prepared = folder.prepare(val=0.4)
    assert any(f"found Supervisely JSON {root}: 3 images" in note for note in prepared.info.notes)
    assert sample(prepared, "ds2__img__a").boxes == (Box(3, 5, 15, 15, 25),)
    assert options(root).supervisely == root


def test_one_data_set_of_a_project_is_found(folder: Folder) -> None:
    """By its folder, whose images lie in img/."""
    root = project(folder)
    prepared = folder.prepare(images=root / "ds1", val=0.5)
    assert {s.id for s in prepared.samples} == {"a", "b"} and len(sample(prepared, "a").boxes) == 4
    assert project_of(root / "ds1/img") == root / "ds1" and project_of(root / "ds1") == root / "ds1"


def test_masks_are_drawn(folder: Folder) -> None:
    root = project(folder)
    for name in ("ds1/ann/a.png.json", "ds2/ann/a.png.json"):
        content = json.loads((root / name).read_text())
        content["objects"] = [one for one in content["objects"] if one["classTitle"] in ("cat", "dog")]
        write(root / name, json.dumps(content))
    prepared = folder.prepare(masks_from_shapes=True, val=0.5)
    mask = read_labels(sample(prepared, "ds1__img__a").mask)
    assert [int((mask == label).sum()) for label in (1, 2)] == [53, 105] and mask[20, 39] == 1


def test_tags_of_images_are_tags_where_there_are_no_objects(folder: Folder) -> None:
    root = folder.images
    write(root / "meta.json", json.dumps({"classes": [], "tags": [{"name": "cat"}]}))
    for name, tags in (
        ("a", [{"name": "cat"}]),
        ("b", [{"name": "kind", "value": "dog"}, {"name": "cat", "value": None}]),
    ):
        write_image(root / f"ds/img/{name}.png", (40, 30))
        write(root / f"ds/ann/{name}.png.json", json.dumps({"size": SIZE, "tags": tags, "objects": []}))
    prepared = folder.prepare(val=0.5)
    assert prepared.info.classes == ("cat", "dog")
    assert {s.id: s.tags for s in prepared.samples} == {"ds__img__a": (1,), "ds__img__b": (1, 2)}


def bitmap(mask: Any, mode: str, origin: tuple[int, int]) -> dict[str, Any]:
    array = np.array(mask, np.uint8)
    picture = Image.fromarray(array * 255) if mode == "L" else Image.new("RGBA", array.shape[::-1], (0, 0, 0, 0))
    if mode == "RGBA":
        picture.putalpha(Image.fromarray(array * 255))
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = base64.b64encode(zlib.compress(file.getvalue())).decode()
    return {"classTitle": "cat", "geometryType": "bitmap", "bitmap": {"origin": origin, "data": data}}


@pytest.mark.parametrize("mode", ["L", "RGBA"])
@pytest.mark.parametrize(
    ("origin", "corners"), [((3, 4), (3, 4, 6, 6)), ((-1, 29), (0, 29, 2, 30)), ((38, -1), (38, 0, 40, 1))]
)
def test_bitmaps(tmp_path: Path, mode: str, origin: tuple[int, int], corners: tuple[int, ...]) -> None:
    """What lies outside of the image is cut off."""
    write(tmp_path / "meta.json", json.dumps(META))
    one = bitmap([[1, 1, 1], [1, 1, 1]], mode, origin)
    write(tmp_path / "ann/a.png.json", json.dumps({"size": SIZE, "tags": [], "objects": [one]}))
    (record,) = read_supervisely(tmp_path).records
    assert record.problem is None and record.things[0].corners == corners


OBJECT = {
    "classTitle": "cat",
    "geometryType": "polygon",
    "points": {"exterior": [[1, 1], [5, 1], [5, 5]], "interior": []},
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"points": {"exterior": [[1, 1]]}}, "a polygon has 1 points"),
        ({"points": {"exterior": [[90, 90], [95, 90], [95, 95]]}}, "the polygon of 'cat' has no pixel in the image"),
        ({"points": None}, "an object cannot be read"),
        ({"geometryType": "bitmap"}, "an object cannot be read: 'bitmap'"),
        ({"geometryType": "bitmap", "bitmap": {"origin": [0, 0], "data": "AAAA"}}, "an object cannot be read"),
        ({"geometryType": "rectangle"}, "too many values"),
    ],
)
def test_objects_that_cannot_be_read(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    write(tmp_path / "meta.json", json.dumps(META))
    write(tmp_path / "ann/a.png.json", json.dumps({"size": SIZE, "objects": [OBJECT | change]}))
    (record,) = read_supervisely(tmp_path).records
    assert record.problem is not None and says in record.problem.what and record.problem.remedy


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no ann/*.json of Supervisely"),
        ({"ann/a.png.json": "{}"}, "there is no meta.json in or above"),
        ({"ann/a.png.json": "{}", "meta.json": "[]"}, "names no classes"),
    ],
)
def test_projects_that_are_none(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    with pytest.raises(WsssError) as caught:
        read_supervisely(tmp_path)
    assert says in caught.value.what and caught.value.remedy


def test_a_damaged_annotation_costs_its_image(folder: Folder) -> None:
    root = project(folder)
    write(root / "ds1/ann/b.png.json", '{"size": {}')
    prepared = folder.prepare(skip_bad=True, val=0.5)
    assert {s.id for s in prepared.samples} == {"ds1__img__a", "ds2__img__a"}
    write(root / "ds1/ann/b.png.json", '{"size": {"height": 30, "width": 0}, "objects": []}')
    with pytest.raises(WsssError, match="its size is"):
        folder.prepare()


def test_an_annotation_whose_image_is_gone_falls_on_no_other_data_set(folder: Folder) -> None:
    root = project(folder)
    (root / "ds2/img/a.png").unlink()
    with pytest.raises(WsssError, match=r"ds2/ann/a.png.json: there is no image 'ds2/img/a.png'"):
        folder.prepare()


def test_a_project_says_nothing_of_one_data_set_that_is_of_another(folder: Folder) -> None:
    """Of the images of ds2 alone, whose names ds1 has too."""
    root = project(folder)
    write_image(root / "ds2/img/b.png", (40, 30))
    prepared = folder.prepare(images=root / "ds2/img", supervisely=root, val=0.5)
    assert {s.id: len(s.boxes) for s in prepared.samples} == {"a": 1, "b": 0}


def test_masks_that_supervisely_made_are_no_images(folder: Folder) -> None:
    root = project(folder)
    for kind in ("masks_machine", "masks_human"):
        for name in ("a", "b"):
            write_mask(root / f"ds1/{kind}/{name}.png", size=(40, 30))
    assert len(folder.prepare(val=0.4).samples) == 3
