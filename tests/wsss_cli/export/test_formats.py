"""What was written is read back with pycocotools or a parser of the test's own: every pixel is the same."""

import base64
import io
import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as rle
from pycocotools.coco import COCO

from drawn_labels import without_ignored, write_export
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.export import labels as exporting
from wsss_cli.export.label_studio import brush
from wsss_cli.export.labels import FORMATS, form_of
from wsss_cli.export.pieces import Piece
from wsss_cli.export.source import Source, find_source

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, numpy 2
Labels = NDArray[np.integer]


def write(source: Source, out: Path, name: str, images: Any = None, **asked: Any) -> Path:
    write_export(source, out, name, images, **asked)
    assert not list(out.parent.glob(".*.part"))
    return out


def paint(labels: Labels, mask: NDArray[Any], label: int) -> None:
    assert not labels[mask.astype(bool)].any(), "pieces overlap"
    labels[mask.astype(bool)] = label


def test_png(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "out", "png")
    ids = (out / "ids.txt").read_text().splitlines()
    assert ids == [s.id for s in source.samples]
    assert (out / "classes.txt").read_text().splitlines() == ["background", *source.data.info.classes]
    for sample, row in zip(source.samples, (out / "pairs.txt").read_text().splitlines(), strict=True):
        image, labels = row.split("\t")
        assert Path(image) == sample.image
        with Image.open(out / labels) as picture:
            assert picture.mode == "P"
        assert (read_labels(out / labels) == source.labels(sample)).all()  # 255 too


@pytest.mark.parametrize("shape", ["rle", "polygon"])
def test_coco(source: Source, tmp_path: Path, shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    coco = COCO(str(write(source, tmp_path / "out", "coco", shape=shape) / "instances_train.json"))
    assert [c["name"] for c in coco.loadCats([1, 2, 3])] == list(source.data.info.classes)
    for i, sample in enumerate(source.samples, 1):
        image = coco.imgs[i]
        assert source.image_root / image["file_name"] == sample.image
        again = np.zeros((image["height"], image["width"]), np.uint8)
        for row in coco.loadAnns(coco.getAnnIds(i)):
            mask = coco.annToMask(row)
            paint(again, mask, row["category_id"])
            assert row["area"] == mask.sum() and row["iscrowd"] == 0
            assert row["bbox"] == rle.toBbox(rle.encode(np.asfortranarray(mask))).tolist()
        assert (again == without_ignored(source, sample)).all()
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1)) and len(coco.anns) > 20


def test_yolo(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "out", "yolo")
    head = yaml.safe_load((out / "data.yaml").read_text())
    assert head == {"train": "images/train", "val": "images/train", "names": dict(enumerate(source.data.info.classes))}
    for sample in source.samples:
        assert (out / f"images/train/{sample.id}.jpg").read_bytes() == sample.image.read_bytes()
        again = np.zeros((sample.height, sample.width), np.uint8)
        for line in (out / f"labels/train/{sample.id}.txt").read_text().splitlines():
            label, *values = line.split()
            points = np.array(values, float).reshape(-1, 2) * (sample.width, sample.height)
            coded = rle.frPyObjects([points.ravel().tolist()], sample.height, sample.width)
            paint(again, rle.decode(rle.merge(coded)), int(label) + 1)
        assert (again == without_ignored(source, sample)).all()


def test_yolo_boxes(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "out", "yolo", shape="box", images="none")
    assert not (out / "images").exists()
    form = form_of("coco", None, None, None)
    for sample in source.samples:
        lines = (out / f"labels/train/{sample.id}.txt").read_text().splitlines()
        for line, piece in zip(lines, source.pieces(sample, form), strict=True):
            label, x, y, w, h = map(float, line.split())
            corners = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * ([sample.width, sample.height] * 2)
            assert label == piece.label - 1 and np.abs(corners - piece.box).max() < 1e-3


def test_yolo_semantic(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "out", "yolo-semantic")
    head = yaml.safe_load((out / "data.yaml").read_text())
    assert head["masks_dir"] == "masks" and head["names"] == dict(enumerate(("background", *source.data.info.classes)))
    for sample in source.samples:
        assert (out / f"images/train/{sample.id}.jpg").is_symlink()
        with Image.open(out / f"masks/train/{sample.id}.png") as picture:
            assert picture.mode == "L" and (np.asarray(picture) == source.labels(sample)).all()  # 255 too


def test_yolo_semantic_holds_8_bits(source: Source, tmp_path: Path) -> None:
    info = replace(source.data.info, classes=tuple(f"c{i}" for i in range(255)))
    many = replace(source, data=replace(source.data, info=info))
    with pytest.raises(WsssError, match="at most 254 classes"):
        write(many, tmp_path / "out", "yolo-semantic")
    assert not (tmp_path / "out").exists()


def labelme(source: Source, out: Path) -> list[tuple[Sample, list[dict[str, Any]]]]:
    read = []
    for sample in source.samples:
        path = out / "images" / f"{sample.id}.json"
        content = json.loads(path.read_text())
        assert (content["imageWidth"], content["imageHeight"]) == (sample.width, sample.height)
        assert (path.parent / content["imagePath"]).read_bytes() == sample.image.read_bytes()
        read.append((sample, content["shapes"]))
    return read


def test_labelme(source: Source, tmp_path: Path) -> None:
    """A mask lies between its first and its last pixel."""
    for sample, shapes in labelme(source, write(source, tmp_path / "out", "labelme")):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for shape in shapes:
            (x0, y0), (x1, y1) = shape["points"]
            with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as picture:
                mask = np.zeros(again.shape, bool)
                mask[y0 : y1 + 1, x0 : x1 + 1] = np.asarray(picture)
            paint(again, mask, source.data.info.classes.index(shape["label"]) + 1)
        assert (again == without_ignored(source, sample)).all()
    form = form_of("coco", None, None, None)
    for sample, boxes in labelme(source, write(source, tmp_path / "boxes", "labelme", shape="box")):
        for box, piece in zip(boxes, source.pieces(sample, form), strict=True):
            corners = [*box["points"][0], *box["points"][1]]
            inside = Image.new("1", (sample.width, sample.height))
            ImageDraw.Draw(inside).rectangle(corners, fill=1, outline=1)  # as labelme does
            assert inside.getbbox() == piece.box == (*map(math.floor, corners[:2]), *map(math.ceil, corners[2:]))


def test_images_that_differ_in_their_ending_alone_have_each_their_own_json(source: Source, tmp_path: Path) -> None:
    twins = [replace(s, image=tmp_path / f"A{end}") for s, end in zip(source.samples, (".jpg", ".PNG"))]
    for twin, sample in zip(twins, source.samples):
        twin.image.write_bytes(sample.image.read_bytes())
    several = replace(source, samples=(*twins, *source.samples[2:]))
    found = [json.loads(path.read_text()) for path in write(several, tmp_path / "out", "labelme").rglob("*.json")]
    sizes = {content["imagePath"]: (content["imageWidth"], content["imageHeight"]) for content in found}
    assert sizes == {s.image.name: (s.width, s.height) for s in several.samples}


def label_studio(source: Source, out: Path, kind: str) -> list[tuple[Sample, list[dict[str, Any]]]]:
    read = []
    config = ET.parse(out / "label_config.xml").getroot()
    assert [label.get("value") for label in config.iter("Label")] == list(source.data.info.classes)
    for sample, task in zip(source.samples, json.loads((out / "tasks.json").read_text()), strict=True):
        below = unquote(task["data"]["image"].removeprefix("/data/local-files/?d="))
        assert source.image_root / below == sample.image
        results = task["predictions"][0]["result"]
        assert {result["type"] for result in results} <= {kind}
        read.append((sample, results))
    return read


def unbrushed(brush: list[int]) -> NDArray[np.uint8]:
    """The values of a brush; what is not in a run is refused."""
    bits = "".join(f"{byte:08b}" for byte in brush)
    at, values = 53, []
    while len(values) < int(bits[:32], 2):
        assert bits[at] == "1"
        size = int(bits[37 + 4 * int(bits[at + 1 : at + 3], 2) :][:4], 2) + 1
        length = int(bits[at + 3 : at + 3 + size], 2) + 1
        values += [int(bits[at + 3 + size : at + 11 + size], 2)] * length
        at += 11 + size
    assert len(bits) - at < 8
    return np.array(values, np.uint8)


def test_label_studio(source: Source, tmp_path: Path) -> None:
    """The alpha channel of a brush is the mask."""
    for sample, results in label_studio(source, write(source, tmp_path / "out", "label-studio"), "brushlabels"):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for result in results:
            rgba = unbrushed(result["value"]["rle"]).reshape(*again.shape, 4)
            paint(again, rgba[..., 3] == 255, source.data.info.classes.index(result["value"]["brushlabels"][0]) + 1)
        assert (again == without_ignored(source, sample)).all()


def test_label_studio_polygons_and_boxes(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "p", "label-studio", shape="polygon")
    for sample, results in label_studio(source, out, "polygonlabels"):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for result in results:
            points = np.array(result["value"]["points"]) / 100 * (sample.width, sample.height)
            coded = rle.frPyObjects([points.ravel().tolist()], sample.height, sample.width)
            label = source.data.info.classes.index(result["value"]["polygonlabels"][0]) + 1
            paint(again, rle.decode(rle.merge(coded)), label)
        assert (again == without_ignored(source, sample)).all()
    form = form_of("coco", None, None, None)
    out = write(source, tmp_path / "b", "label-studio", shape="box")
    for sample, results in label_studio(source, out, "rectanglelabels"):
        for result, piece in zip(results, source.pieces(sample, form), strict=True):
            x, y, w, h = (result["value"][key] / 100 for key in ("x", "y", "width", "height"))
            corners = np.array([x, y, x + w, y + h]) * ([sample.width, sample.height] * 2)
            assert np.abs(corners - piece.box).max() < 1e-9


def test_a_brush_of_long_runs() -> None:
    mask = np.ones((200, 300), bool)
    assert (unbrushed(brush(Piece(1, 0, 0, mask), 300, 400)).reshape(400, 300, 4)[:200] == 255).all()
    assert len(brush(Piece(1, 0, 0, mask), 300, 400)) < 40


def shapes(source: Source, out: Path, tag: str) -> list[tuple[Sample, list[ET.Element]]]:
    root = ET.parse(out / "annotations.xml").getroot()
    assert root.findtext("version") == "1.1"
    assert [label.text for label in root.findall(".//label/name")] == list(source.data.info.classes)
    images = root.findall("image")
    for i, (image, sample) in enumerate(zip(images, source.samples, strict=True)):
        size = (str(sample.width), str(sample.height))
        assert (image.get("id"), image.get("width"), image.get("height")) == (str(i), *size)
        assert source.image_root / (image.get("name") or "") == sample.image
        assert {child.tag for child in image} <= {tag}
    return list(zip(source.samples, map(list, images)))


def test_cvat_masks(source: Source, tmp_path: Path) -> None:
    """The runs go along the rows of the mask's own box, the first of them outside the mask."""
    for sample, masks in shapes(source, write(source, tmp_path / "out", "cvat"), "mask"):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for mask in masks:
            left, top, width, height = (int(mask.attrib[key]) for key in ("left", "top", "width", "height"))
            runs = [int(n) for n in mask.attrib["rle"].split(",")]
            flat = np.repeat(np.arange(len(runs)) % 2, runs)
            label = source.data.info.classes.index(mask.attrib["label"]) + 1
            paint(again[top : top + height, left : left + width], flat.reshape(height, width), label)
        assert (again == without_ignored(source, sample)).all()


def test_cvat_polygons_and_boxes(source: Source, tmp_path: Path) -> None:
    for sample, polygons in shapes(source, write(source, tmp_path / "p", "cvat", shape="polygon"), "polygon"):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for polygon in polygons:
            points = [float(v) for pair in polygon.attrib["points"].split(";") for v in pair.split(",")]
            mask = rle.decode(rle.merge(rle.frPyObjects([points], sample.height, sample.width)))
            paint(again, mask, source.data.info.classes.index(polygon.attrib["label"]) + 1)
        assert (again == without_ignored(source, sample)).all()
    form = form_of("coco", None, None, None)
    for sample, boxes in shapes(source, write(source, tmp_path / "b", "cvat", shape="box"), "box"):
        corners = [tuple(float(b.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr")) for b in boxes]
        assert corners == [piece.box for piece in source.pieces(sample, form)]


def test_small_pieces_can_be_left_out(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every = COCO(str(write(source, tmp_path / "a", "coco") / "instances_train.json"))
    large = COCO(str(write(source, tmp_path / "b", "coco", min_area=9) / "instances_train.json"))
    areas = sorted(row["area"] for row in every.anns.values())
    assert areas[0] < 9 and sorted(row["area"] for row in large.anns.values()) == [a for a in areas if a >= 9]


def test_images_beside(source: Source, tmp_path: Path) -> None:
    out = write(source, tmp_path / "link", "coco", images="link")
    assert (out / "images/a/one.jpg").is_symlink() and (out / "images/a/one.jpg").stat().st_size
    out = write(source, tmp_path / "copy", "png", images="copy")
    assert not (out / "images/empty.jpg").is_symlink()
    assert (out / "images/empty.jpg").read_bytes() == source.samples[-1].image.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_a_label_map_of_another_size(source: Source, tmp_path: Path, name: str) -> None:
    write_labels(source.path(source.samples[1]), np.zeros((3, 4), np.uint8))
    with pytest.raises(WsssError, match=r"two\.png is 4 x 3, its image 31 x 50"):
        write(source, tmp_path / "out", name)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*.part"))


def test_a_full_folder_is_left_alone(source: Source, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(source, tmp_path / "out", "png")  # an empty one will do
    with pytest.raises(WsssError, match="out exists already"):
        write(source, tmp_path / "out", "coco")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WsssError, match="file exists already"):
        write(source, tmp_path / "file", "coco")


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("png", ("rle", None, None), "--shape does not go with --format png"),
        ("png", (None, 5, None), "--min-area does not go with --format png"),
        ("yolo", ("rle", None, None), "--format yolo has no --shape rle\n  it has: polygon, box"),
        ("coco", ("box", None, None), "--format coco has no --shape box"),
        ("coco", (None, None, 1.0), "--tolerance does not go with --shape rle"),
    ],
)
def test_what_a_format_cannot_hold(name: str, asked: tuple[Any, Any, Any], says: str) -> None:
    with pytest.raises(WsssError) as caught:
        form_of(name, *asked)
    assert says in str(caught.value)


def test_a_split_without_label_maps(source: Source, tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=r"no label map of split 'train' in .*elsewhere"):
        find_source(source.data, "train", tmp_path / "elsewhere", "")
    with pytest.raises(WsssError, match="no image in split 'test'"):
        find_source(source.data, "test", tmp_path / "labels", "")


@pytest.mark.parametrize("name", list(FORMATS))
def test_ids_that_are_no_class(source: Source, tmp_path: Path, name: str) -> None:
    path = source.path(source.samples[1])
    write_labels(path, np.where(read_labels(path) == 2, 77, 1).astype(np.uint8))
    with pytest.raises(WsssError, match=r"two\.png holds the id 77, the data set's classes are 1\.\.3"):
        write(source, tmp_path / "out", name)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_nothing_half_written(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "place_images", full)
    with pytest.raises(WsssError, match="no space left"):
        write(source, tmp_path / "out", "yolo")
    assert not (tmp_path / "out").exists()
